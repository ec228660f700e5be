package model_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/model"
	"github.com/jeton-dev/jeton/test/postgres"
)

const missingID = "00000000-0000-4000-8000-000000000000"

// A machine makes the same calls to the server, in its own project, and to the model.
type machine struct {
	*rapid.T
	jeton *jetontest.Jeton
	model *model.Model
	key   admin.APIKey
	// otherKey is the secret key of another project.
	otherKey string
	// deleted are the IDs of deleted objects.
	deleted []string
	// suffix makes the hostnames of each sequence unique.
	suffix string
}

// An answer is a response of the server.
type answer struct {
	status int
	body   string
	fields model.Fields
}

// call makes one call to the server.
func (m *machine) call(key, method, region, path string, body any) answer {
	content, err := json.Marshal(body)
	if err != nil {
		m.Fatal(err)
	}
	request, err := http.NewRequest(method, m.jeton.APIURL+"/functions/v1beta1/regions/"+region+path, bytes.NewReader(content))
	if err != nil {
		m.Fatal(err)
	}
	request.Header.Set("X-Auth-Token", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		m.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		m.Fatal(err)
	}
	a := answer{status: response.StatusCode, body: string(text)}
	if err := json.Unmarshal(text, &a.fields); err != nil {
		m.Fatalf("%s %s: %s: %v", method, path, text, err)
	}
	return a
}

func (m *machine) api(method, path string, body any) answer {
	a := m.call(m.key.SecretKey, method, "fr-par", path, body)
	m.Logf("%s %s %v: %d %.300s", method, path, body, a.status, a.body)
	return a
}

// succeeded reports whether a call succeeded, as it must without refusals. It fails the
// test unless the answer matches the model.
func (m *machine) succeeded(what string, a answer, refusals []model.Refusal) bool {
	if len(refusals) == 0 {
		if a.status != http.StatusOK {
			m.Fatalf("%s: got %d %s, want success", what, a.status, a.body)
		}
		return true
	}
	for _, r := range refusals {
		if a.status == r.Status && strings.Contains(a.body, r.Says) {
			return false
		}
	}
	m.Fatalf("%s: got %d %s, want one of %v", what, a.status, a.body, refusals)
	return false
}

// settled waits until the status of an object is final, and compares the object with
// that of the model.
func (m *machine) settled(kind model.Kind, id string) {
	var a answer
	await.True(m.T, "one of "+string(kind)+" settles", func() bool {
		a = m.call(m.key.SecretKey, http.MethodGet, "fr-par", "/"+string(kind)+"/"+id, nil)
		return !slices.Contains([]any{"pending", "creating", "deleting"}, a.fields["status"])
	})
	m.same(kind, id, a)
}

// same fails the test unless the answer has all fields of the model.
func (m *machine) same(kind model.Kind, id string, a answer) {
	o := m.model.Find(kind, id)
	for field, want := range o.Fields {
		if got := a.fields[field]; !reflect.DeepEqual(got, want) {
			m.Fatalf("%s of one of %s is %#v, want %#v\n%s", field, kind, got, want, a.body)
		}
	}
}

// waitGone waits until an object no longer exists.
func (m *machine) waitGone(kind model.Kind, id string) {
	await.True(m.T, "one of "+string(kind)+" is gone", func() bool {
		return m.call(m.key.SecretKey, http.MethodGet, "fr-par", "/"+string(kind)+"/"+id, nil).status == http.StatusNotFound
	})
}

// create creates an object.
func (m *machine) create(kind model.Kind, body, made model.Fields, refusals []model.Refusal, parents ...string) {
	a := m.api(http.MethodPost, "/"+string(kind), body)
	if !m.succeeded("create one of "+string(kind), a, refusals) {
		return
	}
	id, _ := a.fields["id"].(string)
	m.model.Add(kind, id, made, parents...)
	m.settled(kind, id)
}

// update changes an object that may not exist.
func (m *machine) update(kind model.Kind, body model.Fields, changed func(*model.Object, model.Fields) (model.Fields, []model.Refusal)) {
	id := m.id(kind)
	refusals := m.model.Existing(kind, id)
	o := m.model.Find(kind, id)
	var after model.Fields
	if o != nil {
		after, refusals = changed(o, body)
	} else {
		// An invalid body may be reported before the missing object.
		refusals = append(refusals, model.Refusal{Status: 400})
	}
	a := m.api(http.MethodPatch, "/"+string(kind)+"/"+id, body)
	if !m.succeeded("change one of "+string(kind), a, refusals) {
		return
	}
	o.Fields = after
	if f, ok := after["function_id"].(string); ok && kind == model.Crons {
		o.Parents = []string{f}
	}
	m.settled(kind, id)
}

// id draws the ID of an object, mostly of one that exists.
func (m *machine) id(kind model.Kind) string {
	ids := []string{missingID, "x"}
	if len(m.deleted) > 0 {
		ids = append(ids, m.deleted[len(m.deleted)-1])
	}
	all := m.model.Objects[kind]
	if len(all) > 0 && rapid.IntRange(0, 9).Draw(m.T, "known") > 0 {
		ids = nil
		for _, o := range all {
			ids = append(ids, o.ID)
		}
	}
	return rapid.SampledFrom(ids).Draw(m.T, "id")
}

// TestAPI_RespondsLikeModel makes random calls to the server and the model. A failing
// sequence is shortened before it is reported.
func TestAPI_RespondsLikeModel(t *testing.T) {
	t.Parallel()
	respondLikeModel(t, jetontest.Start(t))
}

func TestAPI_OverPostgreSQLRespondsLikeModel(t *testing.T) {
	t.Parallel()
	database := postgres.Database(t)
	respondLikeModel(t, jetontest.Start(t, func(c *server.Config) { c.Database = database }))
}

// respondLikeModel sends random requests to a server and to the model.
func respondLikeModel(t *testing.T, jeton *jetontest.Jeton) {
	t.Helper()
	other, err := jeton.Admin.CreateProject(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	otherKey := jeton.Key(other.ID, iam.FullAccess).SecretKey
	sequences := 0
	rapid.Check(t, func(rt *rapid.T) {
		sequences++
		project, err := jeton.Admin.CreateProject(t.Context(), fmt.Sprint("sequence ", sequences))
		if err != nil {
			rt.Fatal(err)
		}
		m := &machine{
			T: rt, jeton: jeton, model: model.New(), key: jeton.Key(project.ID, iam.FullAccess), otherKey: otherKey,
			suffix: fmt.Sprintf(".s%d.example.com", sequences),
		}
		m.begin()
		rt.Repeat(map[string]func(*rapid.T){
			"create namespace": m.on((*machine).createNamespace), "change namespace": m.on((*machine).changeNamespace),
			"create function": m.on((*machine).createFunction), "change function": m.on((*machine).changeFunction),
			"create token": m.on((*machine).createToken), "create cron": m.on((*machine).createCron), "change cron": m.on((*machine).changeCron),
			"list again": m.on((*machine).list), "create another token": m.on((*machine).createToken),
			"create domain": m.on((*machine).createDomain), "create trigger": m.on((*machine).createTrigger),
			"change trigger": m.on((*machine).changeTrigger), "get": m.on((*machine).get), "list": m.on((*machine).list),
			"delete": m.on((*machine).delete), "get what is foreign": m.on((*machine).foreign), "restart": m.on((*machine).restart),
		})
		m.T = rt
		m.compareAll()
	})
}

// begin creates the first objects.
func (m *machine) begin() {
	for range 3 {
		m.createNamespace()
	}
	for range 4 {
		m.createFunction()
	}
	for range 3 {
		m.createToken()
		m.createCron()
		m.createDomain()
		m.createTrigger()
	}
}

// on returns an action that draws from its own step.
func (m *machine) on(action func(*machine)) func(*rapid.T) {
	return func(rt *rapid.T) {
		m.T = rt
		action(m)
	}
}

// compareAll compares all objects with the model, and checks that deleted ones do not
// exist.
func (m *machine) compareAll() {
	for _, kind := range model.Kinds {
		for _, o := range m.model.Objects[kind] {
			m.settled(kind, o.ID)
		}
	}
	for _, id := range m.deleted {
		for _, kind := range model.Kinds {
			if a := m.call(m.key.SecretKey, http.MethodGet, "fr-par", "/"+string(kind)+"/"+id, nil); a.status != http.StatusNotFound {
				m.Fatalf("a deleted object exists again: %s", a.body)
			}
		}
	}
}
