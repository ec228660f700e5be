package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/bench/harness"
)

// idleTime is how long an instance lives without a call.
const idleTime = 300 * time.Millisecond

// A server is a server whose functions soon lose their instances.
type server struct {
	*harness.Server
	namespace *function.Namespace
}

func startServer(ctx context.Context, t *toolchains, name string, flags ...string) (*server, error) {
	all := []string{"--idle-to-zero=" + idleTime.String(), "--idle-to-one=" + idleTime.String(), "--ops-listen=127.0.0.1:0"}
	s, err := harness.Start(ctx, filepath.Join(t.dir, name), append(append(all, t.flags...), flags...)...)
	if err != nil {
		return nil, err
	}
	namespace, err := s.Namespace(ctx, "start")
	return &server{s, namespace}, err
}

// deployHello deploys the language's function, and waits until it is ready.
func (s *server) deployHello(ctx context.Context, l language, name string) (*function.Function, error) {
	maxScale := uint32(50)
	return s.Deploy(ctx, &function.CreateFunctionRequest{
		NamespaceID: s.namespace.ID, Name: name, Runtime: function.FunctionRuntime(l.runtime), Handler: &l.handler,
		Privacy: function.FunctionPrivacyPublic, MaxScale: &maxScale,
	}, l.files)
}

// dial connects to the gateway. The connection is not part of the measured call.
func (s *server) dial() (net.Conn, error) {
	gateway, err := url.Parse(s.Gateway)
	if err != nil {
		return nil, err
	}
	return net.Dial("tcp", gateway.Host)
}

// firstCall returns the milliseconds of a call of a function without an instance.
func (s *server) firstCall(ctx context.Context, host string) (float64, error) {
	if err := s.waitWarm(ctx); err != nil {
		return 0, err
	}
	conn, err := s.dial()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	took, err := call(conn, host)
	return harness.Milliseconds(took), err
}

var errUnsteady = errors.New("the numbers of instances and warm sandboxes still change after three minutes: is the machine busy?")

// waitWarm waits until there are no instances and the number of warm sandboxes no
// longer changes.
func (s *server) waitWarm(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 3*time.Minute, errUnsteady)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	last, steady := "", 0
	for steady < 20 {
		text, err := s.metrics(ctx)
		if err != nil {
			return err
		}
		instances := linesWith(text, "jeton_instances{")
		state := instances + linesWith(text, "jeton_prepared_sandboxes{")
		if state != last || !allZero(instances) {
			last, steady = state, 0
		} else {
			steady++
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (s *server) metrics(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Ops+"/metrics", nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// linesWith returns the lines of a text that have a prefix.
func linesWith(text, prefix string) string {
	var found strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			found.WriteString(line)
		}
	}
	return found.String()
}

// allZero reports whether the value of every metric is zero.
func allZero(metrics string) bool {
	for line := range strings.Lines(metrics) {
		if !strings.HasSuffix(line, " 0\n") {
			return false
		}
	}
	return true
}
