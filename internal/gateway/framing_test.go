package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
)

// strictServer serves the gateway behind Strict and returns its address.
func strictServer(t *testing.T, w *world) string {
	t.Helper()
	front := httptest.NewUnstartedServer(w.handler)
	front.Listener = gateway.Strict(front.Listener, nil)
	front.Config.ConnContext = gateway.ConnContext
	front.Start()
	t.Cleanup(front.Close)
	return front.Listener.Addr().String()
}

// exchange sends a request in pieces of the given length and returns the statuses of all answers.
func exchange(t *testing.T, address, request string, piece int) string {
	t.Helper()
	var dialer net.Dialer
	connection, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	go func() {
		for len(request) > 0 {
			n, err := io.WriteString(connection, request[:min(piece, len(request))])
			if err != nil {
				return
			}
			request = request[n:]
		}
	}()
	var statuses []string
	reader := bufio.NewReader(connection)
	for {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return strings.Join(statuses, " ")
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		statuses = append(statuses, fmt.Sprint(response.StatusCode))
	}
}

func TestStrict_RefusesAmbiguousRequests(t *testing.T) {
	t.Parallel()
	served := make(chan string, 100)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { served <- r.URL.Path + "?" + r.URL.RawQuery; echo(w, r) })
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	address := strictServer(t, w)
	exchanges := 0
	const (
		first = "POST /first HTTP/1.1\r\nHost: " + host + "\r\n"
		last  = "GET /last HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"
	)
	for name, test := range map[string]struct{ request, statuses, served string }{
		"two requests":            {first + "Content-Length: 5\r\n\r\nhello" + last, "200 200", "/first /last"},
		"chunks":                  {first + "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nTrailer: x\r\n\r\n" + last, "200 200", "/first /last"},
		"length and chunks":       {first + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + last, "400", ""},
		"chunks and length":       {first + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + last, "400", ""},
		"a blank in the name":     {first + "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + last, "400", ""},
		"two lengths":             {first + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" + last, "400", ""},
		"the same length twice":   {first + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" + last, "400", ""},
		"a length with a sign":    {first + "Content-Length: +5\r\n\r\nhello" + last, "400", ""},
		"a list of lengths":       {first + "Content-Length: 5, 5\r\n\r\nhello" + last, "400", ""},
		"a folded line":           {first + "X-A: a\r\n b\r\nContent-Length: 0\r\n\r\n" + last, "400", ""},
		"a folded length":         {first + "Content-Length:\r\n 5\r\n\r\nhello" + last, "400", ""},
		"two hosts":               {"GET / HTTP/1.1\r\nHost: " + host + "\r\nHost: other\r\n\r\n", "400", ""},
		"no host":                 {"GET / HTTP/1.1\r\n\r\n", "400", ""},
		"an unknown encoding":     {first + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + last, "501", ""},
		"nearly HTTP/2":           {"PRI * HTTP/2.0\r\nHost: " + host + "\r\n\r\n" + first + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + last, "400", ""},
		"HTTP/2 in the middle":    {first + "Content-Length: 5\r\n\r\nhello" + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + first + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + last, "200 400", "/first"},
		"the second is ambiguous": {first + "Content-Length: 5\r\n\r\nhello" + first + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200 400", "/first"},
	} {
		for _, piece := range []int{1 << 20, 7, 1} {
			// The query distinguishes this request from an earlier one that arrives late.
			exchanges++
			query := fmt.Sprintf("?%d", exchanges)
			statuses := exchange(t, address, strings.NewReplacer("/first ", "/first"+query+" ", "/last ", "/last"+query+" ").Replace(test.request), piece)
			var paths []string
			for len(served) > 0 {
				if path, ok := strings.CutSuffix(<-served, query); ok {
					paths = append(paths, path)
				}
			}
			// A valid request is refused too if an ambiguous one is in the same read, and
			// aborted if an ambiguous one arrives before its response.
			bothRefused := test.statuses == "200 400" && (statuses == "400" || statuses == "502") && !slices.Contains(paths, "/last")
			if (statuses != test.statuses || strings.Join(paths, " ") != test.served) && !bothRefused {
				t.Errorf("%s, in pieces of %d: got statuses %q and paths %q, want %q and %q", name, piece, statuses, paths, test.statuses, test.served)
			}
		}
	}
}

func TestStrict_RefusesInvalidChunks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	address := strictServer(t, w)
	for name, chunks := range map[string]string{
		"no number":         "x\r\nhello\r\n0\r\n\r\n",
		"negative":          "-5\r\nhello\r\n0\r\n\r\n",
		"with a sign":       "+5\r\nhello\r\n0\r\n\r\n",
		"too long":          "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
		"longer than said":  "5\r\nhello!\r\n0\r\n\r\n",
		"nothing":           "\r\nhello\r\n0\r\n\r\n",
		"a zero in between": "0\r\nX: y\r\n z\r\n\x00\r\n\r\n",
	} {
		request := "POST / HTTP/1.1\r\nHost: " + host + "\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks
		if got := exchange(t, address, request, 1<<20); strings.HasPrefix(got, "2") && name != "a zero in between" {
			t.Errorf("%s: got statuses %q, want none of 2xx", name, got)
		}
	}
}

func TestForward_Upgrade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "echo" {
			http.Error(w, "no upgrade", http.StatusBadRequest)
			return
		}
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, _ := buffered.ReadString('\n')
		_, _ = io.WriteString(connection, "you said "+line)
	})
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	var dialer net.Dialer
	connection, err := dialer.DialContext(t.Context(), "tcp", strictServer(t, w))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_, _ = io.WriteString(connection, "GET / HTTP/1.1\r\nHost: "+host+"\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	reader := bufio.NewReader(connection)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %v, %v, want status 101", response, err)
	}
	// In HTTP, this would be a folded line.
	_, _ = io.WriteString(connection, " \x00 hello\n")
	if line, err := reader.ReadString('\n'); err != nil || line != "you said  \x00 hello\n" {
		t.Errorf("got %q, %v, want the echo", line, err)
	}
}

func TestForward_StreamsResponses(t *testing.T) {
	t.Parallel()
	more := make(chan struct{})
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, event := range []string{"first", "second"} {
			_, _ = io.WriteString(w, "data: "+event+"\n\n")
			_ = http.NewResponseController(w).Flush()
			<-more
		}
	})
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+strictServer(t, w), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	reader := bufio.NewReader(response.Body)
	for _, want := range []string{"data: first\n", "data: second\n"} {
		// The event arrives before the function continues.
		if line, err := reader.ReadString('\n'); err != nil || line != want {
			t.Errorf("got %q, %v, want %q", line, err, want)
		}
		_, _ = reader.ReadString('\n')
		more <- struct{}{}
	}
}

func FuzzFraming(f *testing.F) {
	f.Add("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 3)
	f.Add("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 1)
	f.Add("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET", 2)
	f.Add("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 100)
	f.Fuzz(func(t *testing.T, data string, piece int) {
		piece = max(1, piece)
		whole := gateway.Unambiguous([]string{data})
		var pieces []string
		for rest := data; rest != ""; {
			n := min(piece, len(rest))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		if got := gateway.Unambiguous(pieces); got != whole {
			t.Errorf("%q: got %v in one piece and %v in pieces of %d", data, whole, got, piece)
		}
	})
}
