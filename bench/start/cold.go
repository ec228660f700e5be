package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/bench/measure"
	"github.com/jeton-dev/jeton/bench/stage"
)

// rounds is odd, for there to be a middle one.
var rounds = measure.Sized(15, 1)

// idle is how long an instance lives without a call.
const idle = 300 * time.Millisecond

// A site is a server with functions that lose their instances soon.
type site struct {
	*stage.Server
	namespace *function.Namespace
}

func openSite(ctx context.Context, dir, name string, flags ...string) (*site, error) {
	server, err := stage.Start(ctx, filepath.Join(dir, name), append([]string{"--idle-to-zero=" + idle.String(), "--idle-to-one=" + idle.String(), "--ops-listen=127.0.0.1:0"}, flags...)...)
	if err != nil {
		return nil, err
	}
	namespace, err := server.Namespace(ctx, "start")
	return &site{server, namespace}, err
}

func (s *site) close() { _, _ = s.Stop() }

func (s *site) deploy(ctx context.Context, l language, name string) (*function.Function, error) {
	most := uint32(50)
	return stage.Deploy(ctx, s.API, &function.CreateFunctionRequest{
		NamespaceID: s.namespace.ID, Name: name, Runtime: function.FunctionRuntime(l.runtime), Handler: &l.handler, Privacy: function.FunctionPrivacyPublic,
		MaxScale: &most,
	}, l.files)
}

// dial connects to the gateway, ahead of the call that is measured.
func (s *site) dial() (net.Conn, error) {
	gateway, err := url.Parse(s.Gateway)
	if err != nil {
		return nil, err
	}
	return net.Dial("tcp", gateway.Host)
}

// ready waits until no instance is left, and as many sandboxes are prepared as
// there can be.
func (s *site) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 3*time.Minute, errUnsteady)
	defer cancel()
	last, steady := "", 0
	for steady < 20 {
		text, err := s.metrics(ctx)
		if err != nil {
			return err
		}
		state := lines(text, "jeton_instances{", "jeton_prepared_sandboxes{")
		if state != last || strings.Contains(state, "jeton_instances{") && !allZero(state) {
			last, steady = state, 0
		} else {
			steady++
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

var errUnsteady = errors.New("instances and prepared sandboxes still come and go after three minutes: is the machine busy?")

func (s *site) metrics(ctx context.Context) (string, error) {
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

// lines are the lines of a text that begin so.
func lines(text string, prefixes ...string) string {
	var found []string
	for line := range strings.Lines(text) {
		for _, prefix := range prefixes {
			if strings.HasPrefix(line, prefix) {
				found = append(found, line)
			}
		}
	}
	return strings.Join(found, "")
}

func allZero(state string) bool {
	for line := range strings.Lines(lines(state, "jeton_instances{")) {
		if !strings.HasSuffix(line, " 0\n") {
			return false
		}
	}
	return true
}

// coldStarts measures the first call of each language's function.
func coldStarts(ctx context.Context, dir, crates string) ([]measure.Result, error) {
	w, err := newWorkshop(ctx, dir, crates)
	if err != nil {
		return nil, err
	}
	prepared, err := openSite(ctx, dir, "prepared", w.flags...)
	if err != nil {
		return nil, err
	}
	defer prepared.close()
	empty, err := openSite(ctx, dir, "empty", append(w.flags, "--spare-workers=false")...)
	if err != nil {
		return nil, err
	}
	defer empty.close()
	none, err := openSite(ctx, dir, "none", append(w.flags, "--spare=0", "--spare-most=0")...)
	if err != nil {
		return nil, err
	}
	defer none.close()
	var results []measure.Result
	// Rust's crates take a minute to build.
	for _, l := range measure.Sized(languages, languages[:4]) {
		found, err := coldStart(ctx, w, l, prepared, empty, none)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		results = append(results, found...)
	}
	return results, nil
}

func coldStart(ctx context.Context, w *workshop, l language, sites ...*site) ([]measure.Result, error) {
	command, env, err := w.command(ctx, l)
	if err != nil {
		return nil, err
	}
	hosts := make([]string, len(sites))
	for i, s := range sites {
		f, err := s.deploy(ctx, l, "cold-"+l.name)
		if err != nil {
			return nil, err
		}
		hosts[i] = f.DomainName
	}
	took := make([][]float64, len(sites))
	var floor []float64
	for range rounds {
		for i, s := range sites {
			one, err := s.first(ctx, hosts[i])
			if err != nil {
				return nil, err
			}
			took[i] = append(took[i], milliseconds(one))
		}
		// Each side begins on a machine that has been quiet for as long.
		if err := sites[0].ready(ctx); err != nil {
			return nil, err
		}
		one, err := bare(w.dir, command, env)
		if err != nil {
			return nil, err
		}
		floor = append(floor, milliseconds(one))
	}
	const beside = ", isolated, beside the bare one"
	results := []measure.Result{measure.Compare("cold-"+l.name, "ms", l.goal, "first call of a "+l.name+" function"+beside, took[0], floor)}
	if l.unprepared != "" {
		results = append(results, measure.Compare("cold-"+l.name+"-no-worker", "ms", l.unprepared, "the same in a prepared sandbox, without a prepared worker", took[1], floor))
	}
	return append(results, measure.Compare("cold-"+l.name+"-unprepared", "ms", "", "the same with nothing prepared", took[2], floor)), nil
}

// first is the time of a call of a function that has no instance.
func (s *site) first(ctx context.Context, host string) (time.Duration, error) {
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	conn, err := s.dial()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return ask(conn, host)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
