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
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/model"
)

const nobody = "00000000-0000-4000-8000-000000000000"

// A machine makes the same calls to the server and to the model, in a project of
// its own.
type machine struct {
	*rapid.T
	jeton    *jetontest.Jeton
	model    *model.Model
	key      admin.APIKey
	stranger string
	// gone are the IDs of what was deleted, suffix what makes hostnames unlike
	// those of other sequences.
	gone   []string
	suffix string
}

// An answer is what a call was answered.
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

// carriedOut tells whether a call was to be carried out, and fails unless the
// answer is one of the refusals where it was not.
func (m *machine) carriedOut(what string, a answer, refusals []model.Refusal) bool {
	if len(refusals) == 0 {
		if a.status != http.StatusOK {
			m.Fatalf("%s: %d %s, and the model carries it out", what, a.status, a.body)
		}
		return true
	}
	for _, r := range refusals {
		if a.status == r.Status && strings.Contains(a.body, r.Says) {
			return false
		}
	}
	m.Fatalf("%s: %d %s, and the model refuses it with one of %v", what, a.status, a.body, refusals)
	return false
}

// settled gets an object until it is at rest, and compares it with the model's.
func (m *machine) settled(kind model.Kind, id string) {
	var a answer
	await.True(m.T, "one of "+string(kind)+" settles", func() bool {
		a = m.call(m.key.SecretKey, http.MethodGet, "fr-par", "/"+string(kind)+"/"+id, nil)
		return !slices.Contains([]any{"pending", "creating", "deleting"}, a.fields["status"])
	})
	m.same(kind, id, a)
}

// same fails unless an answer has what the model has.
func (m *machine) same(kind model.Kind, id string, a answer) {
	o := m.model.Find(kind, id)
	for field, want := range o.Fields {
		if got := a.fields[field]; !reflect.DeepEqual(got, want) {
			m.Fatalf("%s of one of %s is %#v, and the model has %#v\n%s", field, kind, got, want, a.body)
		}
	}
}

// vanished waits until an object is gone.
func (m *machine) vanished(kind model.Kind, id string) {
	await.True(m.T, "one of "+string(kind)+" is gone", func() bool {
		return m.call(m.key.SecretKey, http.MethodGet, "fr-par", "/"+string(kind)+"/"+id, nil).status == http.StatusNotFound
	})
}

// create makes an object of a body.
func (m *machine) create(kind model.Kind, body, made model.Fields, refusals []model.Refusal, parents ...string) {
	a := m.api(http.MethodPost, "/"+string(kind), body)
	if !m.carriedOut("create one of "+string(kind), a, refusals) {
		return
	}
	id, _ := a.fields["id"].(string)
	m.model.Add(kind, id, made, parents...)
	m.settled(kind, id)
}

// update changes an object, if there is one of that ID.
func (m *machine) update(kind model.Kind, body model.Fields, changed func(*model.Object, model.Fields) (model.Fields, []model.Refusal)) {
	id := m.id(kind)
	refusals := m.model.There(kind, id)
	o := m.model.Find(kind, id)
	var after model.Fields
	if o != nil {
		after, refusals = changed(o, body)
	} else {
		// What is wrong with the body may be said before what is not there.
		refusals = append(refusals, model.Refusal{Status: 400})
	}
	a := m.api(http.MethodPatch, "/"+string(kind)+"/"+id, body)
	if !m.carriedOut("change one of "+string(kind), a, refusals) {
		return
	}
	o.Fields = after
	if f, ok := after["function_id"].(string); ok && kind == model.Crons {
		o.Parents = []string{f}
	}
	m.settled(kind, id)
}

// id is that of an object, mostly of one that there is.
func (m *machine) id(kind model.Kind) string {
	ids := []string{nobody, "x"}
	if len(m.gone) > 0 {
		ids = append(ids, m.gone[len(m.gone)-1])
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

// TestSameAnswers has the server and the model answer the same calls. A sequence
// that shows a difference is made as short as it can be.
func TestSameAnswers(t *testing.T) {
	t.Parallel()
	jeton := jetontest.Start(t)
	stranger, err := jeton.Admin.CreateProject(t.Context(), "stranger")
	if err != nil {
		t.Fatal(err)
	}
	strange := jeton.Key(stranger.ID, iam.FullAccess).SecretKey
	sequences := 0
	rapid.Check(t, func(rt *rapid.T) {
		sequences++
		project, err := jeton.Admin.CreateProject(t.Context(), fmt.Sprint("sequence ", sequences))
		if err != nil {
			rt.Fatal(err)
		}
		m := &machine{
			T: rt, jeton: jeton, model: model.New(), key: jeton.Key(project.ID, iam.FullAccess), stranger: strange,
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
			"delete": m.on((*machine).delete), "get what is another's": m.on((*machine).strange), "restart": m.on((*machine).restart),
		})
		m.T = rt
		m.everything()
	})
}

// begin makes something to begin with.
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

// on has an action draw from its own step.
func (m *machine) on(action func(*machine)) func(*rapid.T) {
	return func(rt *rapid.T) {
		m.T = rt
		action(m)
	}
}

// everything holds all that there is against the model, and lists each kind whole.
func (m *machine) everything() {
	for _, kind := range model.Kinds {
		for _, o := range m.model.Objects[kind] {
			m.settled(kind, o.ID)
		}
	}
	for _, id := range m.gone {
		for _, kind := range model.Kinds {
			if a := m.call(m.key.SecretKey, http.MethodGet, "fr-par", "/"+string(kind)+"/"+id, nil); a.status != http.StatusNotFound {
				m.Fatalf("what was deleted is there again: %s", a.body)
			}
		}
	}
}
