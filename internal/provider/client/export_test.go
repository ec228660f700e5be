package client

import (
	"context"
	"net/http"
	"strings"
)

// ContentDigest is contentDigest, for a test of its bound.
func ContentDigest(archive string, limit int64) string {
	return contentDigest(strings.NewReader(archive), int64(len(archive)), limit)
}

// Poll is poll, for a test of its pace.
func Poll(ctx context.Context, look func() (int, bool, error)) (int, error) {
	return poll(ctx, look)
}

// ReadError is readError, for fuzzing without connections.
func ReadError(req *http.Request, resp *http.Response) *Error {
	return readError(req, resp)
}
