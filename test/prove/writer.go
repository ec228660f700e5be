package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// gone is the state of an object that does not exist.
const gone = ""

// The kinds of objects that the writers create.
const (
	tokenKind     = "token"
	cronKind      = "cron"
	namespaceKind = "namespace"
)

// An object is what a writer expects of an object. It has one possible state, or two
// after an unanswered change. The state of a token is tokenState, that of a cron its
// schedule, and that of a namespace its description.
type object struct {
	id, kind string
	states   []string
}

// exists reports whether the object certainly exists.
func (o *object) exists() bool { return len(o.states) == 1 && o.states[0] != gone }

// A writer changes objects of its own, with names that no other writer uses.
type writer struct {
	name, functionID string
	created          int
	known            map[string]*object

	acknowledged, unanswered int
	// unexpected are errors with which the server has answered.
	unexpected []string
}

// step makes one change, and reports whether the server has answered.
func (w *writer) step(ctx context.Context, v *jeton) bool {
	name, o := w.pick()
	if o == nil || rand.IntN(3) == 0 {
		return w.create(ctx, v)
	}
	switch {
	case o.kind == tokenKind:
		return w.change(o, gone, func() (string, error) {
			_, err := v.DeleteToken(&function.DeleteTokenRequest{TokenID: o.id}, scw.WithContext(ctx))
			return o.id, err
		})
	case o.kind == namespaceKind:
		return w.changeNamespace(ctx, v, o)
	case rand.IntN(2) == 0:
		return w.change(o, gone, func() (string, error) {
			_, err := v.DeleteCron(&function.DeleteCronRequest{CronID: o.id}, scw.WithContext(ctx))
			return o.id, err
		})
	}
	schedule := randomSchedule()
	return w.change(o, schedule, func() (string, error) {
		_, err := v.UpdateCron(&function.UpdateCronRequest{CronID: o.id, Name: &name, Schedule: &schedule}, scw.WithContext(ctx))
		return o.id, err
	})
}

// changeNamespace deletes a namespace, or changes its description. The server refuses to
// change a namespace without keys, which also counts as an answer.
func (w *writer) changeNamespace(ctx context.Context, v *jeton, o *object) bool {
	if rand.IntN(2) == 0 {
		return w.change(o, gone, func() (string, error) {
			_, err := v.DeleteNamespace(&function.DeleteNamespaceRequest{NamespaceID: o.id}, scw.WithContext(ctx))
			return o.id, err
		})
	}
	before, text := o.states, randomSchedule()
	refused := false
	answered := w.change(o, text, func() (string, error) {
		_, err := v.UpdateNamespace(&function.UpdateNamespaceRequest{NamespaceID: o.id, Description: &text}, scw.WithContext(ctx))
		if _, refused = errors.AsType[*scw.TransientStateError](err); refused {
			err = nil
		}
		return o.id, err
	})
	if refused {
		w.acknowledged--
		o.states = before
	}
	return answered
}

// tokenState is the only state of an existing token.
const tokenState = "token"

// randomSchedule returns a valid cron schedule.
func randomSchedule() string { return fmt.Sprintf("%d %d 1 1 *", rand.IntN(60), rand.IntN(24)) }

// pick returns an object that certainly exists; nil if there is none.
func (w *writer) pick() (string, *object) {
	for name, o := range w.known {
		if o.exists() {
			return name, o
		}
	}
	return "", nil
}

// namespacesEvery makes one object in 30 a namespace. The server creates a key pair for
// each, which takes as long as a hundred other changes.
const namespacesEvery = 30

// create creates a token, a cron or a namespace, or sometimes deploys the function.
func (w *writer) create(ctx context.Context, v *jeton) bool {
	w.created++
	name := fmt.Sprintf("%s-%d", w.name, w.created)
	if w.created%50 == 0 {
		_, err := v.DeployFunction(&function.DeployFunctionRequest{FunctionID: w.functionID}, scw.WithContext(ctx))
		return w.answered(err)
	}
	o := &object{states: []string{gone}, kind: cronKind}
	w.known[name] = o
	switch {
	case w.created%namespacesEvery == 0:
		return w.createNamespace(ctx, v, o, name)
	case w.created%2 == 0:
		o.kind = tokenKind
		return w.change(o, tokenState, func() (string, error) {
			t, err := v.CreateToken(&function.CreateTokenRequest{FunctionID: &w.functionID, Description: &name}, scw.WithContext(ctx))
			if err != nil {
				return "", err
			}
			return t.ID, nil
		})
	}
	schedule := randomSchedule()
	return w.change(o, schedule, func() (string, error) {
		c, err := v.CreateCron(&function.CreateCronRequest{FunctionID: w.functionID, Name: &name, Schedule: schedule}, scw.WithContext(ctx))
		if err != nil {
			return "", err
		}
		return c.ID, nil
	})
}

func (w *writer) createNamespace(ctx context.Context, v *jeton, o *object, name string) bool {
	o.kind = namespaceKind
	text := randomSchedule()
	return w.change(o, text, func() (string, error) {
		n, err := v.CreateNamespace(&function.CreateNamespaceRequest{Name: name, Description: &text}, scw.WithContext(ctx))
		if err != nil {
			return "", err
		}
		return n.ID, nil
	})
}

// change makes a change, and updates the possible states: the new one if the change was
// acknowledged, and both if it was not answered.
func (w *writer) change(o *object, to string, do func() (string, error)) bool {
	o.states = append(o.states, to)
	id, err := do()
	if !w.answered(err) {
		w.unanswered++
		return false
	}
	o.id, o.states = id, []string{to}
	w.acknowledged++
	return true
}

// answered reports whether the server has accepted a change. It records a refusal, which
// is unexpected.
func (w *writer) answered(err error) bool {
	if refusal, ok := errors.AsType[*scw.ResponseError](err); ok {
		w.unexpected = append(w.unexpected, refusal.Error())
	}
	return err == nil
}
