package client

import (
	"context"
	"net/http"
)

// Poll is poll, for a test of its pace.
func Poll(ctx context.Context, look func() (int, bool, error)) (int, error) {
	return poll(ctx, look)
}

// ReadError is readError, for fuzzing without connections.
func ReadError(req *http.Request, resp *http.Response) *Error {
	return readError(req, resp)
}
