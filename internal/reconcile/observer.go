package reconcile

import (
	"context"
	"errors"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// A Task is work on a function that is observed.
type Task string

// The tasks. A Deployment includes a Build unless the code has been built before.
const (
	Deployment Task = "deployment"
	Build      Task = "build"
)

// A Result is how a task ended.
type Result string

// The results of tasks.
const (
	Succeeded Result = "succeeded"
	// Failed has a cause that the function's author can correct.
	Failed Result = "failed"
	// Ended is for a task that a later deployment, the deletion of the function, the
	// stop of the server or a change of the owner canceled.
	Ended Result = "ended"
	// Broken has a cause that the operator can correct.
	Broken Result = "broken"
)

// An Observer is notified of tasks. Its methods are called concurrently.
type Observer interface {
	// Begin is called when a task starts. It returns the context for the task, and a
	// function that is called with its result.
	Begin(ctx context.Context, task Task, f functions.Function) (context.Context, func(Result))
}

func (r *Reconciler) begin(ctx context.Context, task Task, f functions.Function) (context.Context, func(Result)) {
	if r.config.Observer == nil {
		return ctx, func(Result) {}
	}
	return r.config.Observer.Begin(ctx, task, f)
}

func resultOf(ctx context.Context, err error) Result {
	_, failed := errors.AsType[*deploymentError](err)
	switch {
	case err == nil:
		return Succeeded
	case failed:
		return Failed
	case errors.Is(err, functions.ErrSuperseded) || errors.Is(err, store.ErrNotOwner) || ctx.Err() != nil:
		return Ended
	}
	return Broken
}
