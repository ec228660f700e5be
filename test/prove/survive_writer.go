package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// gone is the state of an object that is not there.
const gone = ""

// The kinds of what the writers make.
const (
	token     = "token"
	cron      = "cron"
	namespace = "namespace"
)

// object is what a writer knows of an object: one state, or two where a change was
// not answered. The state of a token that is there is always the same, that of a
// cron its schedule, and that of a namespace its description.
type object struct {
	id, kind string
	states   []string
}

// certain tells whether the object is there for certain.
func (o *object) certain() bool { return len(o.states) == 1 && o.states[0] != gone }

// writer changes objects of its own, each under a name that nobody else uses.
type writer struct {
	name, functionID string
	made             int
	known            map[string]*object

	acknowledged, doubtful int
	unexpected             []string
}

// step makes one change, and tells whether the server has answered.
func (w *writer) step(ctx context.Context, v *jeton) bool {
	name, o := w.pick()
	if o == nil || rand.IntN(3) == 0 {
		return w.create(ctx, v)
	}
	switch {
	case o.kind == token:
		return w.change(o, gone, func() (string, error) {
			_, err := v.DeleteToken(&function.DeleteTokenRequest{TokenID: o.id}, scw.WithContext(ctx))
			return o.id, err
		})
	case o.kind == namespace:
		return w.changeNamespace(ctx, v, o)
	case rand.IntN(2) == 0:
		return w.change(o, gone, func() (string, error) {
			_, err := v.DeleteCron(&function.DeleteCronRequest{CronID: o.id}, scw.WithContext(ctx))
			return o.id, err
		})
	}
	schedule := someSchedule()
	return w.change(o, schedule, func() (string, error) {
		_, err := v.UpdateCron(&function.UpdateCronRequest{CronID: o.id, Name: &name, Schedule: &schedule}, scw.WithContext(ctx))
		return o.id, err
	})
}

// changeNamespace deletes a namespace, or describes it anew. One that still waits
// for its keys cannot be changed, which is an answer too.
func (w *writer) changeNamespace(ctx context.Context, v *jeton, o *object) bool {
	if rand.IntN(2) == 0 {
		return w.change(o, gone, func() (string, error) {
			_, err := v.DeleteNamespace(&function.DeleteNamespaceRequest{NamespaceID: o.id}, scw.WithContext(ctx))
			return o.id, err
		})
	}
	before, text := o.states, someSchedule()
	waits := false
	answered := w.change(o, text, func() (string, error) {
		_, err := v.UpdateNamespace(&function.UpdateNamespaceRequest{NamespaceID: o.id, Description: &text}, scw.WithContext(ctx))
		if _, waits = errors.AsType[*scw.TransientStateError](err); waits {
			err = nil
		}
		return o.id, err
	})
	if waits {
		w.acknowledged--
		o.states = before
	}
	return answered
}

// tokenState is the only state of a token that is there.
const tokenState = "token"

func someSchedule() string { return fmt.Sprintf("%d %d 1 1 *", rand.IntN(60), rand.IntN(24)) }

// pick returns an object that is there for certain, nil if there is none.
func (w *writer) pick() (string, *object) {
	for name, o := range w.known {
		if o.certain() {
			return name, o
		}
	}
	return "", nil
}

// namespacesEvery is how rare namespaces are among what is made: each has the
// server make a key pair, which takes as long as a hundred changes.
const namespacesEvery = 30

// create makes a token, a cron or a namespace, and deploys the function now and
// then.
func (w *writer) create(ctx context.Context, v *jeton) bool {
	w.made++
	name := fmt.Sprintf("%s-%d", w.name, w.made)
	if w.made%50 == 0 {
		_, err := v.DeployFunction(&function.DeployFunctionRequest{FunctionID: w.functionID}, scw.WithContext(ctx))
		return w.answered(err)
	}
	o := &object{states: []string{gone}, kind: cron}
	w.known[name] = o
	switch {
	case w.made%namespacesEvery == 0:
		return w.createNamespace(ctx, v, o, name)
	case w.made%2 == 0:
		o.kind = token
		return w.change(o, tokenState, func() (string, error) {
			t, err := v.CreateToken(&function.CreateTokenRequest{FunctionID: &w.functionID, Description: &name}, scw.WithContext(ctx))
			if err != nil {
				return "", err
			}
			return t.ID, nil
		})
	}
	schedule := someSchedule()
	return w.change(o, schedule, func() (string, error) {
		c, err := v.CreateCron(&function.CreateCronRequest{FunctionID: w.functionID, Name: &name, Schedule: schedule}, scw.WithContext(ctx))
		if err != nil {
			return "", err
		}
		return c.ID, nil
	})
}

func (w *writer) createNamespace(ctx context.Context, v *jeton, o *object, name string) bool {
	o.kind = namespace
	text := someSchedule()
	return w.change(o, text, func() (string, error) {
		n, err := v.CreateNamespace(&function.CreateNamespaceRequest{Name: name, Description: &text}, scw.WithContext(ctx))
		if err != nil {
			return "", err
		}
		return n.ID, nil
	})
}

// change makes a change, and notes what is known then: the new state where it was
// acknowledged, either one where it was not answered.
func (w *writer) change(o *object, to string, do func() (string, error)) bool {
	o.states = append(o.states, to)
	id, err := do()
	if !w.answered(err) {
		w.doubtful++
		return false
	}
	o.id, o.states = id, []string{to}
	w.acknowledged++
	return true
}

// answered tells whether the server has answered; that it refuses is not expected.
func (w *writer) answered(err error) bool {
	if refusal, ok := errors.AsType[*scw.ResponseError](err); ok {
		w.unexpected = append(w.unexpected, refusal.Error())
	}
	return err == nil
}
