package gateway

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// answer writes one of the gateway's own answers.
func answer(w http.ResponseWriter, status int, text string) {
	setDefaultHeaders(w.Header())
	body := text + "\n"
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// A caller that went away has no use for an answer.
	_, _ = w.Write([]byte(body))
}

// defaultHeaders are those that every answer has unless the function sets them:
// Scaleway's runtimes send these two, with refusals too.
var defaultHeaders = [...][2]string{
	{"Access-Control-Allow-Origin", "*"},
	{"Access-Control-Allow-Headers", "Content-Type"},
}

func setDefaultHeaders(h http.Header) {
	for _, field := range defaultHeaders {
		if _, ok := h[field[0]]; !ok {
			h[field[0]] = []string{field[1]}
		}
	}
}

// answerDenied is the one answer to every call that is not admitted: it tells
// nobody why.
func answerDenied(w http.ResponseWriter) {
	answer(w, http.StatusForbidden, "access denied: this function is private, send a valid token in the header X-Auth-Token")
}

// answerNoMemory answers a call for which the budget has no memory.
func answerNoMemory(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	answer(w, http.StatusServiceUnavailable, "the gateway is busy")
}

// answerTooManyCalls answers a call beyond a limit.
func answerTooManyCalls(w http.ResponseWriter, retryAfter time.Duration) {
	seconds := max(1, int64((retryAfter+time.Second-1)/time.Second))
	w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	answer(w, http.StatusTooManyRequests, "too many calls")
}

// answerUnsettled is the answer to every call while a revocation may have been
// stored that the gateway does not know of.
func answerUnsettled(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	answer(w, http.StatusServiceUnavailable, "the server cannot decide on calls now")
}

func answerTooLarge(w http.ResponseWriter, limit int64) {
	// The text is that of Scaleway's runtimes.
	answer(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("Request payload too large, max payload size = %d bytes", limit))
}

func answerUnknownHost(w http.ResponseWriter) {
	const body = `{"message":"no function has this host name"}`
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(body))
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	requestID string
	status    int
}

func (s *statusRecorder) WriteHeader(status int) {
	// An informational answer is followed by the real one.
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		s.status = status
	}
	// The proxy clears what was set before, when a function sends hints ahead.
	s.Header().Set(requestIDHeader, s.requestID)
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the real writer.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }
