package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
)

var tokenID = regional.ID{Region: scw.RegionFrPar, UUID: "7b7861e8-205f-4432-950b-310a018d8403"}

// script answers requests in order and records them. It repeats the last answer.
type script struct {
	mu       sync.Mutex
	answers  []http.HandlerFunc
	requests []*http.Request
	bodies   []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, r.Clone(context.Background()))
	s.bodies = append(s.bodies, string(body))
	answer := s.answers[min(len(s.requests), len(s.answers))-1]
	s.mu.Unlock()
	answer(w, r)
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// answer returns a handler that answers with the API's headers.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "request-1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hangUp closes the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request) {
	panic(http.ErrAbortHandler)
}

func token(status string) string {
	return fmt.Sprintf(`{"id":%q,"status":%q,"token":"<hidden>"}`, tokenID.UUID, status)
}

func dial(t *testing.T, answers ...http.HandlerFunc) (*client.Client, *script) {
	t.Helper()
	s := &script{answers: answers}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return connect(t, server.URL), s
}

func connect(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(&client.Profile{Profile: &scw.Profile{
		AccessKey:     new(accessKey),
		SecretKey:     new(secretKey),
		APIURL:        new(url),
		DefaultRegion: new("fr-par"),
	}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func getToken(ctx context.Context, c *client.Client) error {
	_, err := c.SettledToken(ctx, tokenID, nil)
	return err
}

func createToken(ctx context.Context, c *client.Client) error {
	//nolint:staticcheck // The SDK marks tokens as deprecated; Jeton supports them.
	_, err := c.API().CreateToken(&function.CreateTokenRequest{Region: scw.RegionFrPar, NamespaceID: new(tokenID.UUID)}, client.Context(ctx))
	return err
}

func deleteToken(ctx context.Context, c *client.Client) error {
	return c.DeleteToken(ctx, tokenID)
}

func TestSender_RetriesWhatIsSafeToRepeat(t *testing.T) {
	t.Parallel()
	busy, broken, ok := answer(http.StatusTooManyRequests, ""), answer(http.StatusBadGateway, ""), answer(http.StatusOK, token("ready"))
	tests := map[string]struct {
		call    func(context.Context, *client.Client) error
		answers []http.HandlerFunc
		want    int
		err     string
	}{
		"get, too many requests":      {getToken, []http.HandlerFunc{busy, ok}, 2, ""},
		"get, bad gateway":            {getToken, []http.HandlerFunc{broken, ok}, 2, ""},
		"get, no answer":              {getToken, []http.HandlerFunc{hangUp, ok}, 2, ""},
		"get, not implemented":        {getToken, []http.HandlerFunc{answer(http.StatusNotImplemented, `{"message":"later"}`)}, 1, "501 Not Implemented: later"},
		"get, forbidden":              {getToken, []http.HandlerFunc{answer(http.StatusForbidden, `{"message":"no"}`)}, 1, "403 Forbidden: no"},
		"delete, bad gateway":         {deleteToken, []http.HandlerFunc{broken, ok}, 2, ""},
		"delete, executed, no answer": {deleteToken, []http.HandlerFunc{hangUp, answer(http.StatusNotFound, `{"message":"Token was not found"}`)}, 2, ""},
		"create, too many requests":   {createToken, []http.HandlerFunc{busy, ok}, 2, ""},
		"create, bad gateway":         {createToken, []http.HandlerFunc{broken, ok}, 1, "the server may have executed it"},
		"create, no answer":           {createToken, []http.HandlerFunc{hangUp, ok}, 1, "the server may have executed it"},
		"create, refused":             {createToken, []http.HandlerFunc{answer(http.StatusBadRequest, `{"message":"no"}`)}, 1, "400 Bad Request: no (request request-1)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, s := dial(t, test.answers...)
			err := test.call(t.Context(), c)
			if test.err == "" && err != nil {
				t.Fatal(err)
			}
			if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("got error %v, want one that contains %q", err, test.err)
			}
			if s.count() != test.want {
				t.Errorf("got %d requests, want %d", s.count(), test.want)
			}
		})
	}
}

func TestSender_RepeatsBodyOnRetry(t *testing.T) {
	t.Parallel()
	c, s := dial(t, answer(http.StatusTooManyRequests, ""), answer(http.StatusOK, token("creating")))
	if err := createToken(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if s.bodies[0] == "" || s.bodies[0] != s.bodies[1] {
		t.Errorf("the bodies differ: %q and %q", s.bodies[0], s.bodies[1])
	}
}

func TestSender_RetriesEndWithContextOrAfterSeconds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		timeout        time.Duration
		requests       int
		least, longest time.Duration
	}{
		"with the context":       {100 * time.Millisecond, 1, 100 * time.Millisecond, 100 * time.Millisecond},
		"after the last attempt": {time.Hour, 6, 4 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, s := dial(t, closing(answer(http.StatusServiceUnavailable, "")))
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
				defer cancel()
				if err := getToken(ctx, c); err == nil {
					t.Fatal("no error")
				}
				if took := time.Since(began); took < test.least || took > test.longest || s.count() != test.requests {
					t.Errorf("got %d requests in %v, want %d in %v to %v", s.count(), took, test.requests, test.least, test.longest)
				}
			})
		})
	}
}

// closing closes the connection after the answer: the time of a synctest bubble
// does not advance while a connection is open.
func closing(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		answer(w, r)
	}
}

// refusing returns a URL whose port refuses connections until the test ends: it
// is bound, so that no other process gets it, but nothing listens on it.
func refusing(t *testing.T) string {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(socket) })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port)
}

func TestIsUnreachable_RefusedConnection(t *testing.T) {
	t.Parallel()
	c := connect(t, refusing(t))
	synctest.Test(t, func(t *testing.T) {
		if err := createToken(t.Context(), c); !client.IsUnreachable(err) {
			t.Errorf("IsUnreachable(%v) = false, want true", err)
		}
	})
}

// The runtimes are only used for advice, so a plan must not wait for retries.
func TestRuntimes_SendsOneRequestPerRegion(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string][]http.HandlerFunc{
		"listed": {answer(http.StatusOK, `{"runtimes":[{"name":"go126"}],"total_count":1}`)},
		"busy":   {answer(http.StatusTooManyRequests, "")},
		"gone":   {hangUp},
	} {
		c, s := dial(t, answers...)
		first, err := c.Runtimes(t.Context(), scw.RegionFrPar)
		again, errAgain := c.Runtimes(t.Context(), scw.RegionFrPar)
		if s.count() != 1 || len(first) != len(again) || (err == nil) != (name == "listed") || !errors.Is(errAgain, err) {
			t.Errorf("%s: got %d requests, %v (%v), then %v (%v)", name, s.count(), first, err, again, errAgain)
		}
	}
}

func TestIsNotFound_OnlyForAnswersOfTheAPI(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer http.HandlerFunc
		want   bool
	}{
		"the API's":           {answer(http.StatusNotFound, `{"message":"Token was not found"}`), true},
		"a web server's":      {http.NotFound, false},
		"json, not the API's": {answer(http.StatusNotFound, `{"error":"no route"}`), false},
		"another status":      {answer(http.StatusGone, `{"message":"gone"}`), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := dial(t, test.answer)
			err := getToken(t.Context(), c)
			if got := client.IsNotFound(err); got != test.want {
				t.Errorf("IsNotFound(%v) = %t, want %t", err, got, test.want)
			}
			if deleted := c.DeleteToken(t.Context(), tokenID); (deleted == nil) != test.want {
				t.Errorf("DeleteToken: got error %v, want success %t", deleted, test.want)
			}
		})
	}
}

func TestClient_DoesNotFollowRedirects(t *testing.T) {
	t.Parallel()
	target := &script{answers: []http.HandlerFunc{answer(http.StatusOK, token("ready"))}}
	other := httptest.NewServer(target)
	t.Cleanup(other.Close)
	c, _ := dial(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	if err := getToken(t.Context(), c); err == nil {
		t.Error("no error")
	}
	if target.count() != 0 {
		t.Errorf("the redirect's target got a request with the headers %v", target.requests[0].Header)
	}
}

func TestClient_SendsOneRequestPerCall(t *testing.T) {
	t.Parallel()
	c, s := dial(t, answer(http.StatusOK, `{"id":"x","status":"ready"}`))
	if _, err := c.SettledNamespace(t.Context(), tokenID, nil); err != nil {
		t.Fatal(err)
	}
	if s.count() != 1 {
		t.Errorf("got %d requests, the last to %s, want 1", s.count(), s.requests[len(s.requests)-1].URL)
	}
}

func TestClient_BoundsAnswer(t *testing.T) {
	t.Parallel()
	c, _ := dial(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"`)
		chunk := strings.Repeat("a", 1<<20)
		for range 64 {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
		_, _ = io.WriteString(w, `"}`)
	})
	if err := getToken(t.Context(), c); err == nil {
		t.Error("an answer of 64 MiB was accepted")
	}
}

func TestError_ShowsMessageOfAPI(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want string
	}{
		"bare":      {`{"message":"handler value is invalid"}`, "handler value is invalid (request request-1)"},
		"arguments": {`{"details":[{"argument_name":"name","help_message":"too long","reason":"constraint"}],"message":"invalid argument(s)","type":"invalid_arguments"}`, "invalid argument(s): name constraint too long"},
		"denied":    {`{"message":"authentication is denied","method":"api_key","reason":"not_found","type":"denied_authentication"}`, "authentication is denied: not_found"},
		"no json":   {"<html>\x1b[31mred\x00</html>", "<html> [31mred </html>"},
		"empty":     {"", "400 Bad Request (request"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := dial(t, answer(http.StatusBadRequest, test.body))
			err := getToken(t.Context(), c)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one that contains %q", err, test.want)
			}
		})
	}
}

// FuzzErrorBody uses no connection: one per input would exhaust the machine's
// ports, and the fuzzer would count the server's coverage.
func FuzzErrorBody(f *testing.F) {
	for _, seed := range []string{`{"message":"m"}`, `{"details":[{}],"message":"m"}`, "", "\x1b[2J", strings.Repeat("x", 10000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		recorder := httptest.NewRecorder()
		answer(http.StatusBadRequest, body)(recorder, nil)
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.test/functions", nil)
		text := client.ReadError(request, recorder.Result()).Error()
		if len(text) > 5000 || strings.ContainsAny(text, "\x1b\x00\n") {
			t.Errorf("the error is too long or not printable: %q", text)
		}
	})
}
