package cold

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/bench/harness"
)

// idleTime is how long an instance lives without a call.
const idleTime = 300 * time.Millisecond

// A Server is a server whose functions soon lose their instances.
type Server struct {
	*harness.Server
	// Spare is the number of warm sandboxes of each kind that WaitWarm waits for; 0 for as
	// many as there are.
	Spare     int
	namespace *function.Namespace
}

// Start starts a server with an empty data folder.
func Start(ctx context.Context, data string, flags ...string) (*Server, error) {
	s, err := Restart(ctx, data, flags...)
	if err != nil {
		return nil, err
	}
	s.namespace, err = s.Namespace(ctx, "start")
	return s, err
}

// Restart starts a server with the data folder of one that was stopped.
func Restart(ctx context.Context, data string, flags ...string) (*Server, error) {
	all := []string{"--idle-to-zero=" + idleTime.String(), "--idle-to-one=" + idleTime.String(), "--ops-listen=127.0.0.1:0"}
	s, err := harness.Start(ctx, data, append(all, flags...)...)
	if err != nil {
		return nil, err
	}
	return &Server{Server: s}, nil
}

// DeployHello deploys the language's function, and waits until it is ready.
func (s *Server) DeployHello(ctx context.Context, l Language, name string) (*function.Function, error) {
	maxScale := uint32(50)
	return s.Deploy(ctx, &function.CreateFunctionRequest{
		NamespaceID: s.namespace.ID, Name: name, Runtime: function.FunctionRuntime(l.Runtime), Handler: &l.Handler,
		Privacy: function.FunctionPrivacyPublic, MaxScale: &maxScale,
	}, l.Files)
}

// Dial connects to the gateway. The connection is not part of the measured call.
func (s *Server) Dial() (net.Conn, error) {
	gateway, err := url.Parse(s.Gateway)
	if err != nil {
		return nil, err
	}
	return net.Dial("tcp", gateway.Host)
}

// FirstCall returns the milliseconds of a call of a function without an instance.
func (s *Server) FirstCall(ctx context.Context, host string) (float64, error) {
	if err := s.WaitWarm(ctx); err != nil {
		return 0, err
	}
	conn, err := s.Dial()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	took, err := Call(conn, host)
	return harness.Milliseconds(took), err
}

var errUnsteady = errors.New("the numbers of instances and warm sandboxes still change after three minutes: is the machine busy?")

// WaitWarm waits until there are no instances and the number of warm sandboxes no
// longer changes.
func (s *Server) WaitWarm(ctx context.Context) error {
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
		prepared := linesWith(text, "jeton_prepared_sandboxes{")
		state := instances + prepared
		if state != last || !all(instances, 0) || s.Spare > 0 && (prepared == "" || !all(prepared, s.Spare)) {
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

func (s *Server) metrics(ctx context.Context) (string, error) {
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

// all reports whether the value of every metric is n.
func all(metrics string, n int) bool {
	for line := range strings.Lines(metrics) {
		if !strings.HasSuffix(line, fmt.Sprintf(" %d\n", n)) {
			return false
		}
	}
	return true
}
