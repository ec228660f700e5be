package gateway

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// answer writes an answer of the gateway itself.
func answer(w http.ResponseWriter, status int, text string) {
	setDefaultHeaders(w.Header())
	body := text + "\n"
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// An error means that the client has disconnected.
	_, _ = w.Write([]byte(body))
}

// defaultHeaders are the headers of every answer, unless the function sets them. Scaleway's
// runtimes send these two, also when they deny a call.
var defaultHeaders = [...]struct {
	name string
	// values are shared by all answers, and never changed in place.
	values []string
}{
	{"Access-Control-Allow-Origin", []string{"*"}},
	{"Access-Control-Allow-Headers", []string{"Content-Type"}},
}

func setDefaultHeaders(h http.Header) {
	for _, field := range defaultHeaders {
		if _, ok := h[field.name]; !ok {
			h[field.name] = field.values
		}
	}
}

// answerDenied answers a call that is not admitted. The answer is the same for every reason.
func answerDenied(w http.ResponseWriter) {
	answer(w, http.StatusForbidden, "access denied: this function is private, send a valid token in the header X-Auth-Token")
}

// answerNotAdmitted answers a call that is denied, or that can only be decided later.
func answerNotAdmitted(w http.ResponseWriter, a admission) {
	if a.undecided() {
		answerUnsettled(w)
		return
	}
	answerDenied(w)
}

// answerNoMemory answers a call that exceeds a memory budget.
func answerNoMemory(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	answer(w, http.StatusServiceUnavailable, "the gateway is busy")
}

// answerTooManyCalls answers a call that exceeds a limit.
func answerTooManyCalls(w http.ResponseWriter, retryAfter time.Duration) {
	seconds := max(1, int64((retryAfter+time.Second-1)/time.Second))
	w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	answer(w, http.StatusTooManyRequests, "too many calls")
}

// answerUnsettled answers every call while a stored revocation may not have been applied.
func answerUnsettled(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	answer(w, http.StatusServiceUnavailable, "the server cannot decide about calls now")
}

func answerTooLarge(w http.ResponseWriter, limit int64) {
	// The text is that of Scaleway's runtimes.
	answer(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("Request payload too large, max payload size = %d bytes", limit))
}

func answerUnknownHost(w http.ResponseWriter) {
	const body = `{"message":"no function has this hostname"}`
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(body))
}

// statusRecorder records the status of an answer, and adds the request ID to it.
type statusRecorder struct {
	http.ResponseWriter
	requestID string
	status    int
	// timing returns the Server-Timing header of the answer; nil if the caller has not
	// asked for it.
	timing func() string
}

func (s *statusRecorder) WriteHeader(status int) {
	// Informational answers precede the final one.
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		s.status = status
	}
	// The proxy removes headers that were set earlier if the function sends Early Hints.
	s.Header().Set(requestIDHeader, s.requestID)
	if s.timing != nil {
		s.Header().Add("Server-Timing", s.timing())
	}
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }
