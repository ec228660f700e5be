package reconcile

import (
	"context"
	"errors"

	"github.com/jeton-dev/jeton/internal/functions"
)

// A Task is work on a function that takes time.
type Task string

// The tasks. A deployment builds, unless the code has been built already.
const (
	Deployment Task = "deployment"
	Build      Task = "build"
)

// A Result is how a task ended.
type Result string

// The results of tasks.
const (
	Succeeded Result = "succeeded"
	// Failed is for a reason that the function's author is told.
	Failed Result = "failed"
	// Ended is by a later deployment, the function's deletion, or the server's
	// stop.
	Ended Result = "ended"
	// Broken is for a reason of the server's own.
	Broken Result = "broken"
)

// An Observer watches the tasks.
type Observer interface {
	// Begin is told of a task, and returns the context to do it with and what
	// to call with its result.
	Begin(ctx context.Context, task Task, f functions.Function) (context.Context, func(Result))
}

func (r *Reconciler) begin(ctx context.Context, task Task, f functions.Function) (context.Context, func(Result)) {
	if r.Observer == nil {
		return ctx, func(Result) {}
	}
	return r.Observer.Begin(ctx, task, f)
}

func resultOf(ctx context.Context, err error) Result {
	_, failed := errors.AsType[*fault](err)
	switch {
	case err == nil:
		return Succeeded
	case failed:
		return Failed
	case errors.Is(err, errSuperseded) || ctx.Err() != nil:
		return Ended
	}
	return Broken
}
