package model_test

import (
	"flag"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/jeton-dev/jeton/test/model"
	"github.com/jeton-dev/jeton/test/postgres"
)

// sequences and calls are the default number of sequences, and the average number of
// calls of one.
const (
	sequences = "25"
	calls     = "60"
)

func TestMain(m *testing.M) {
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{"rapid.checks": sequences, "rapid.steps": calls} {
		if !given[name] {
			_ = flag.Set(name, value)
		}
	}
	postgres.Main(m)
}

// draw sets a field of a body to one of the values, or leaves it out.
func (m *machine) draw(body model.Fields, field string, values ...any) {
	if i := rapid.IntRange(-1, len(values)-1).Draw(m.T, field); i >= 0 {
		body[field] = values[i]
	}
}

// spoil sets one field to a wrong value in one of eight bodies, so that most calls
// succeed.
func (m *machine) spoil(body model.Fields, wrong model.Fields) {
	if rapid.IntRange(0, 7).Draw(m.T, "spoil") == 0 {
		field := rapid.SampledFrom(slices.Sorted(maps.Keys(wrong))).Draw(m.T, "what is wrong")
		body[field] = rapid.SampledFrom(wrong[field].([]any)).Draw(m.T, "wrong")
	}
}

var (
	descriptions = []any{nil, "", "a <b> & \"c\"", "é"}
	tags         = []any{nil, []any{}, []any{"a", "b"}}
	environments = []any{nil, map[string]any{}, map[string]any{"A": "1"}, map[string]any{"A": "1", "b": ""}}
	forbidden    = []any{map[string]any{"1x": ""}, map[string]any{"SCW_PUBLIC": ""}}
	names        = []any{"alpha", "beta", "gamma", "delta"}
)

func (m *machine) createNamespace() {
	body := model.Fields{"name": rapid.SampledFrom(append(names, "Alpha")).Draw(m.T, "name")}
	m.draw(body, "description", descriptions...)
	m.draw(body, "tags", tags...)
	m.draw(body, "environment_variables", environments...)
	m.spoil(body, model.Fields{"name": []any{"1st", "end-", ""}, "environment_variables": forbidden})
	made, refusals := m.model.NewNamespace(body)
	m.create(model.Namespaces, body, made, refusals)
}

func (m *machine) changeNamespace() {
	body := model.Fields{}
	m.draw(body, "description", descriptions...)
	m.draw(body, "tags", tags...)
	m.draw(body, "environment_variables", environments...)
	m.spoil(body, model.Fields{"environment_variables": forbidden})
	m.update(model.Namespaces, body, m.model.ChangedNamespace)
}

// function draws the fields of new and changed functions.
func (m *machine) function(body model.Fields) {
	m.draw(body, "description", descriptions...)
	m.draw(body, "tags", tags...)
	m.draw(body, "environment_variables", environments...)
	m.draw(body, "min_scale", nil, 0.0, 1.0)
	m.draw(body, "max_scale", nil, 1.0, 20.0)
	m.draw(body, "memory_limit", nil, 128.0, 512.0)
	m.draw(body, "timeout", nil, "10s")
	m.draw(body, "privacy", nil, "public", "private")
	m.draw(body, "http_option", nil, "enabled", "redirected")
	m.spoil(body, model.Fields{
		"environment_variables": forbidden, "min_scale": []any{-1.0, 6.0, 21.0}, "max_scale": []any{0.0, 51.0}, "memory_limit": []any{300.0},
		"timeout": []any{"7200s"}, "privacy": []any{"secret"}, "http_option": []any{"off"}, "runtime": []any{"cobol60"},
	})
}

func (m *machine) createFunction() {
	body := model.Fields{
		"name":         rapid.SampledFrom(names).Draw(m.T, "name"),
		"namespace_id": m.id(model.Namespaces),
		"runtime":      rapid.SampledFrom([]any{"go126", "go118", "node24", "python312"}).Draw(m.T, "runtime"),
	}
	m.function(body)
	if body["runtime"] == "node24" {
		m.draw(body, "handler", nil, "handler.handle", "src/app.run")
		m.spoil(body, model.Fields{"handler": []any{"handle"}})
	}
	m.spoil(body, model.Fields{"name": []any{"Upper", "a-", "a234567890123456789012345678901234567890"}})
	made, refusals := m.model.NewFunction(body)
	namespace, _ := body["namespace_id"].(string)
	m.create(model.Functions, body, made, refusals, namespace)
}

func (m *machine) changeFunction() {
	body := model.Fields{}
	m.draw(body, "runtime", nil, "go118", "node20")
	m.function(body)
	m.update(model.Functions, body, m.model.ChangedFunction)
}

func (m *machine) createToken() {
	body := model.Fields{}
	var parent string
	if rapid.Bool().Draw(m.T, "of a function") {
		parent = m.id(model.Functions)
		body["function_id"] = parent
	}
	if len(body) == 0 || rapid.IntRange(0, 9).Draw(m.T, "of both") == 0 {
		parent = m.id(model.Namespaces)
		body["namespace_id"] = parent
	}
	m.draw(body, "description", descriptions...)
	m.draw(body, "expires_at", nil, "2040-01-01T00:00:00Z", "2040-01-01T02:00:00+02:00", "2022-10-18T11:35:15+02:00")
	m.spoil(body, model.Fields{"expires_at": []any{"soon"}})
	made, refusals := m.model.NewToken(body)
	m.create(model.Tokens, body, made, refusals, parent)
}

func (m *machine) createCron() {
	body := model.Fields{"function_id": m.id(model.Functions), "name": rapid.SampledFrom(names).Draw(m.T, "name")}
	body["schedule"] = rapid.SampledFrom([]any{"0 0 1 1 *", "@daily"}).Draw(m.T, "schedule")
	m.draw(body, "args", nil, map[string]any{}, map[string]any{"a": []any{"<", 1.5, nil}})
	m.spoil(body, model.Fields{"schedule": []any{"never", ""}, "args": []any{[]any{}}})
	made, refusals := m.model.NewCron(body)
	f, _ := body["function_id"].(string)
	m.create(model.Crons, body, made, refusals, f)
}

func (m *machine) changeCron() {
	body := model.Fields{}
	if rapid.Bool().Draw(m.T, "of another function") {
		body["function_id"] = m.id(model.Functions)
	}
	m.draw(body, "name", nil, "another")
	m.draw(body, "schedule", nil, "1 0 1 1 *")
	m.draw(body, "args", nil, map[string]any{"b": true})
	m.spoil(body, model.Fields{"schedule": []any{"never"}, "args": []any{"text"}})
	m.update(model.Crons, body, m.model.ChangedCron)
}

func (m *machine) createDomain() {
	body := model.Fields{
		"function_id": m.id(model.Functions),
		"hostname":    rapid.SampledFrom([]any{"a" + m.suffix, "B" + m.suffix, "c" + m.suffix}).Draw(m.T, "hostname"),
	}
	m.spoil(body, model.Fields{"hostname": []any{"localhost", "*.example.com", ""}})
	made, refusals := m.model.NewDomain(body)
	f, _ := body["function_id"].(string)
	m.create(model.Domains, body, made, refusals, f)
}

func (m *machine) createTrigger() {
	id := m.id(model.Functions)
	body := model.Fields{"function_id": id, "name": rapid.SampledFrom(names).Draw(m.T, "name")}
	m.draw(body, "description", descriptions...)
	queue, subject := map[string]any{"queue": "q"}, map[string]any{"subject": "a.>", "mnq_nats_account_id": "x"}
	if rapid.Bool().Draw(m.T, "of a queue") {
		body["scw_sqs_config"] = queue
	} else {
		body["scw_nats_config"] = subject
	}
	m.spoil(body, model.Fields{"name": []any{""}, "scw_sqs_config": []any{nil, queue}, "scw_nats_config": []any{nil, subject}})
	made, refusals := m.model.NewTrigger(body)
	parents := []string{id}
	if f := m.model.Find(model.Functions, id); f != nil {
		parents = append(parents, f.Parents...)
	}
	m.create(model.Triggers, body, made, refusals, parents...)
}

func (m *machine) changeTrigger() {
	body := model.Fields{}
	m.draw(body, "name", nil, "another")
	m.draw(body, "description", descriptions...)
	m.spoil(body, model.Fields{"name": []any{""}})
	m.update(model.Triggers, body, m.model.ChangedTrigger)
}

func (m *machine) kind() model.Kind { return rapid.SampledFrom(model.Kinds).Draw(m.T, "kind") }

func (m *machine) get() {
	kind := m.kind()
	id := m.id(kind)
	a := m.api(http.MethodGet, "/"+string(kind)+"/"+id, nil)
	if m.succeeded("get one of "+string(kind), a, m.model.Existing(kind, id)) {
		m.same(kind, id, a)
	}
}

// delete deletes an object, and waits until it no longer exists.
func (m *machine) delete() {
	kind := m.kind()
	if kind == model.Namespaces && rapid.IntRange(0, 3).Draw(m.T, "a namespace after all") > 0 {
		kind = model.Functions // A namespace has many children.
	}
	id := m.id(kind)
	a := m.api(http.MethodDelete, "/"+string(kind)+"/"+id, nil)
	if !m.succeeded("delete one of "+string(kind), a, m.model.Existing(kind, id)) {
		return
	}
	if a.fields["status"] != "deleting" {
		m.Fatalf("the deleted object is %s, want the status deleting", a.body)
	}
	m.model.Delete(id)
	m.deleted = append(m.deleted, id)
	m.waitGone(kind, id)
}

// foreign requests an object in another region, and with the key of another project.
func (m *machine) foreign() {
	kind := m.kind()
	id := m.id(kind)
	method := rapid.SampledFrom([]string{http.MethodGet, http.MethodDelete}).Draw(m.T, "method")
	refusals := m.model.Existing(kind, id)
	if len(refusals) == 0 {
		refusals = []model.Refusal{model.NotFound(kind)}
	}
	path := "/" + string(kind) + "/" + id
	m.succeeded("in another region", m.call(m.key.SecretKey, method, "nl-ams", path, nil), refusals)
	m.succeeded("with the key of another project", m.call(m.otherKey, method, "fr-par", path, nil), refusals)
}

// filters draws the required and optional filters of a list.
func (m *machine) filters(kind model.Kind) (model.Fields, []model.Refusal) {
	where := model.Fields{}
	of := func(field string, parent model.Kind) {
		where[field] = m.id(parent)
	}
	switch kind {
	case model.Functions:
		of("namespace_id", model.Namespaces)
	case model.Crons, model.Domains:
		of("function_id", model.Functions)
	case model.Tokens, model.Triggers:
		if rapid.Bool().Draw(m.T, "of a function") {
			of("function_id", model.Functions)
		} else {
			of("namespace_id", model.Namespaces)
		}
	}
	var refusals []model.Refusal
	for field, id := range where {
		if id == "x" {
			refusals = append(refusals, model.Refusal{Status: 400, Says: field})
		}
	}
	if kind == model.Namespaces || kind == model.Functions {
		m.draw(where, "name", names...)
	}
	return where, refusals
}

func (m *machine) list() {
	kind := m.kind()
	where, refusals := m.filters(kind)
	orders := []string{"created_at_asc", "created_at_desc", "size_asc"}
	switch kind {
	case model.Namespaces, model.Functions:
		orders = append(orders, "name_asc", "name_desc")
	case model.Domains:
		orders = append(orders, "hostname_asc", "hostname_desc")
	}
	q := model.Query{
		Where: where, OrderBy: rapid.SampledFrom(orders).Draw(m.T, "order"),
		Page: rapid.IntRange(0, 3).Draw(m.T, "page"), Size: rapid.SampledFrom([]int{1, 2, 3, 100, 101}).Draw(m.T, "size"),
	}
	for argument, wrong := range map[string]bool{"order_by": q.OrderBy == "size_asc", "page": q.Page == 0, "page_size": q.Size > 100} {
		if wrong {
			refusals = append(refusals, model.Refusal{Status: 400, Says: argument})
		}
	}
	query := url.Values{"order_by": {q.OrderBy}, "page": {strconv.Itoa(q.Page)}, "page_size": {strconv.Itoa(q.Size)}}
	for field, value := range where {
		text, _ := value.(string)
		query.Set(field, text)
	}
	a := m.api(http.MethodGet, "/"+string(kind)+"?"+query.Encode(), nil)
	if !m.succeeded("list "+string(kind), a, refusals) {
		return
	}
	ids, total := m.model.List(kind, q)
	objects, _ := a.fields[string(kind)].([]any)
	var got []string
	for _, o := range objects {
		fields, _ := o.(map[string]any)
		id, _ := fields["id"].(string)
		got = append(got, id)
	}
	if !slices.Equal(got, ids) || a.fields["total_count"] != float64(total) {
		m.Fatalf("the list of %s by %+v is %v of %v, want %v of %d", kind, q, got, a.fields["total_count"], ids, total)
	}
}

// restart restarts the server in one of ten calls, because it takes as long as twenty.
func (m *machine) restart() {
	if rapid.IntRange(0, 9).Draw(m.T, "restart") == 0 {
		m.jeton.Restart()
	}
}
