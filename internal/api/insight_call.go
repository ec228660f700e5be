package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/jeton-dev/jeton/internal/functions"
)

const (
	// callTokenLifetime is the lifetime of the token of a call. The token is deleted
	// after the call.
	callTokenLifetime = time.Minute
	// maxCall is the maximum duration of a call.
	maxCall = 5 * time.Minute
	// maxShown is the maximum size of the body of an answer that is returned, in bytes.
	maxShown = 1 << 20
)

type header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type callRequest struct {
	Method  string   `json:"call_method"`
	Path    string   `json:"path"`
	Headers []header `json:"call_headers"`
	Body    string   `json:"body"`
}

type callResponse struct {
	StatusCode int      `json:"status_code"`
	Headers    []header `json:"call_headers"`
	Body       string   `json:"body"`
	// Base64 reports whether the body is not text, and encoded.
	Base64    bool    `json:"body_is_base64"`
	Size      int64   `json:"body_bytes"`
	Truncated bool    `json:"body_is_truncated"`
	Seconds   float64 `json:"duration_seconds"`
	CallID    string  `json:"call_request_id"`
	TokenID   string  `json:"token_id"`
}

// callFunction calls a function through the gateway. For a private function it creates a
// token of one minute, which it deletes after the call.
func (a *API) callFunction(r *http.Request, scope functions.Scope) (any, error) {
	in, f, err := a.insightFunction(r, scope)
	if err != nil {
		return nil, err
	}
	var wanted callRequest
	if err := decode(r, &wanted); err != nil {
		return nil, err
	}
	infoOf(r).changes = true // A call has effects, so it is in the audit log.
	ctx, cancel := context.WithTimeout(r.Context(), maxCall)
	defer cancel()
	call, err := wanted.build(ctx, f)
	if err != nil {
		return nil, err
	}
	call.RemoteAddr = r.RemoteAddr
	response := callResponse{}
	if f.Privacy != functions.Public {
		issued, err := a.config.Service.CreateToken(ctx, scope, functions.CreateToken{
			FunctionID: f.ID, Description: "call from the console by " + infoOf(r).key.AccessKey,
			ExpiresAt: a.config.Now().Add(callTokenLifetime),
		})
		if err != nil {
			return nil, err
		}
		defer a.removeCallToken(context.WithoutCancel(ctx), scope, issued.ID)
		call.Header.Set("X-Auth-Token", issued.Text.Reveal())
		response.TokenID = issued.ID
	}
	answer := newAnswerRecorder()
	began := time.Now()
	answer.serve(in.Calls, call)
	response.Seconds = time.Since(began).Seconds()
	answer.describe(&response)
	return response, nil
}

// removeCallToken deletes the token of a call. If that fails, the token expires within a
// minute.
func (a *API) removeCallToken(ctx context.Context, scope functions.Scope, id string) {
	if _, err := a.config.Service.DeleteToken(ctx, scope, id); err != nil && !functions.IsNotFound(err) {
		a.config.Log.WarnContext(ctx, "the token of a call from the console could not be deleted: it expires within a minute", "token_id", id, "error", err)
	}
}

// methods are the methods that a call can have.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions}

// build returns the request for the gateway, or an error for an invalid part.
func (c callRequest) build(ctx context.Context, f functions.Function) (*http.Request, error) {
	invalid := func(argument, message string) error {
		return &functions.Error{Code: functions.InvalidArgument, Argument: argument, Reason: "format", Message: message}
	}
	method := strings.ToUpper(c.Method)
	if method == "" {
		method = http.MethodGet
	}
	if !slices.Contains(methods, method) {
		return nil, invalid("call_method", "must be one of "+strings.Join(methods, ", "))
	}
	path := "/" + strings.TrimPrefix(c.Path, "/")
	call, err := http.NewRequestWithContext(ctx, method, "http://"+f.DomainName+path, strings.NewReader(c.Body))
	if err != nil {
		return nil, invalid("path", "must be a path with an optional query, such as /hello?name=world")
	}
	for _, h := range c.Headers {
		if !httpguts.ValidHeaderFieldName(h.Name) || !httpguts.ValidHeaderFieldValue(h.Value) {
			return nil, invalid("call_headers", "must have valid names and values")
		}
		call.Header.Add(h.Name, h.Value)
	}
	for name := range call.Header {
		// The address of the caller must not depend on what the caller writes.
		if name == "Forwarded" || strings.HasPrefix(name, "X-Forwarded-") {
			call.Header.Del(name)
		}
	}
	for _, hop := range []string{"Connection", "Upgrade", "Transfer-Encoding", "Te", "Trailer", "Host", "Content-Length", "Expect"} {
		call.Header.Del(hop)
	}
	call.RequestURI = call.URL.RequestURI()
	call.Host = f.DomainName
	// A function that redirects plain HTTP must answer.
	call.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, ServerName: f.DomainName, HandshakeComplete: true}
	return call, nil
}

// An answerRecorder is an http.ResponseWriter that keeps the beginning of the body.
type answerRecorder struct {
	header, sent http.Header
	status       int
	body         bytes.Buffer
	size         int64
}

func newAnswerRecorder() *answerRecorder { return &answerRecorder{header: http.Header{}} }

// serve runs a handler. A handler that aborts the answer leaves it incomplete.
func (a *answerRecorder) serve(h http.Handler, r *http.Request) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // It is the value itself.
			panic(p)
		}
	}()
	h.ServeHTTP(a, r)
}

// Header implements http.ResponseWriter.
func (a *answerRecorder) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter. It ignores informational statuses.
func (a *answerRecorder) WriteHeader(status int) {
	if status >= http.StatusOK && a.status == 0 {
		a.status, a.sent = status, a.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (a *answerRecorder) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.size += int64(len(p))
	a.body.Write(p[:min(len(p), maxShown-a.body.Len())])
	return len(p), nil
}

// FlushError implements the flushing of http.ResponseController.
func (a *answerRecorder) FlushError() error {
	a.WriteHeader(http.StatusOK)
	return nil
}

// describe adds the answer to a response.
func (a *answerRecorder) describe(response *callResponse) {
	response.StatusCode, response.Headers = a.status, []header{}
	for name, values := range a.sent {
		for _, value := range values {
			response.Headers = append(response.Headers, header{name, strings.ToValidUTF8(value, "\uFFFD")})
		}
	}
	slices.SortFunc(response.Headers, func(x, y header) int { return strings.Compare(x.Name, y.Name) })
	response.CallID = a.sent.Get("X-Request-Id")
	response.Size, response.Truncated = a.size, a.size > maxShown
	body := a.body.Bytes()
	if response.Truncated {
		body = bytes.ToValidUTF8(body, nil)
	}
	if utf8.Valid(body) {
		response.Body = string(body)
		return
	}
	response.Body, response.Base64 = base64.StdEncoding.EncodeToString(a.body.Bytes()), true
}
