package client

import (
	"context"
	"net/http"
	"strings"
)

// ContentDigest exports contentDigest to test its limit.
func ContentDigest(archive string, limit int64) string {
	return contentDigest(strings.NewReader(archive), int64(len(archive)), limit)
}

// Poll exports poll to test its pauses.
func Poll(ctx context.Context, check func() (int, bool, error)) (int, error) {
	return poll(ctx, check)
}

// ReadError exports readError to fuzz it without connections.
func ReadError(req *http.Request, resp *http.Response) *Error {
	return readError(req, resp)
}
