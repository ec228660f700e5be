package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/test/escape"
)

// escapeFromInstances runs programs in five languages that try to escape from their
// instances.
func escapeFromInstances(ctx context.Context, h *harness) (string, error) {
	languages := map[string]bool{}
	attempts, failures, err := h.attemptEscapes(ctx, func(v *jeton, namespaceID string, targets *escape.Targets) ([]escape.Outcome, error) {
		var all []escape.Outcome
		for _, p := range escape.Programs() {
			f, err := escape.Deploy(ctx, v.API, namespaceID, p)
			if err != nil {
				return nil, err
			}
			outcomes, err := escape.Try(ctx, p, p.Attempts, v.gateway, f.DomainName, targets)
			if err != nil {
				return nil, err
			}
			languages[p.Language] = true
			all = append(all, outcomes...)
		}
		return all, nil
	})
	if err != nil {
		return "", err
	}
	return verdict(fmt.Sprintf("%d attempts to escape from an instance in %d languages, %d succeeded or harmed the next call",
		attempts, len(languages), len(failures)), failures)
}

// escapeFromBuilds builds hostile archives that try to escape from their build, and to
// harm builds of other projects.
func escapeFromBuilds(ctx context.Context, h *harness) (string, error) {
	attempts, failures, err := h.attemptEscapes(ctx, func(v *jeton, namespaceID string, targets *escape.Targets) ([]escape.Outcome, error) {
		builds := &escape.Builds{API: v.API, NamespaceID: namespaceID, Targets: targets, CacheDir: filepath.Join(h.root, ".cache"), DataDir: v.data}
		return builds.Try(ctx)
	})
	if err != nil {
		return "", err
	}
	return verdict(fmt.Sprintf("%d attempts to escape from the builds of hostile archives, %d succeeded", attempts, len(failures)), failures)
}

// attemptEscapes starts a server with targets, makes attempts, and returns their number
// and the failures of isolation.
func (h *harness) attemptEscapes(
	ctx context.Context, attempt func(*jeton, string, *escape.Targets) ([]escape.Outcome, error),
) (attempts int, failures []string, err error) {
	v, namespaceID, err := h.newServerWithNamespace(ctx, "escape")
	if err != nil {
		return 0, nil, err
	}
	defer v.stop()
	victim, err := v.deploy(ctx, namespaceID, "victim", fast, 1)
	if err != nil {
		return 0, nil, err
	}
	dir := filepath.Join(h.dir, "targets-"+filepath.Base(v.data))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, nil, err
	}
	targets, err := escape.NewTargets(dir, escape.Server{DataDir: v.data, APIURL: v.api, PID: v.process.Process.Pid}, victim.ID)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = targets.Close() }()
	outcomes, err := attempt(v, namespaceID, targets)
	for _, o := range outcomes {
		if failure := o.Failure(); failure != "" {
			failures = append(failures, failure)
		}
	}
	return len(outcomes), failures, err
}

// missingLayersAreDetected leaves out one isolation layer at a time: the test that the
// server runs when it starts must detect each.
func missingLayersAreDetected(ctx context.Context, _ *harness) (string, error) {
	host, err := sandbox.Open(sandbox.Full, fmt.Sprintf("jeton-prove-%d", os.Getpid()))
	if err != nil {
		return "", err
	}
	defer func() { _ = host.Close() }()
	var undetected []string
	for _, layer := range sandbox.Layers() {
		report, err := host.ProveWithout(ctx, layer)
		if err != nil {
			return "", err
		}
		if report.Holds(layer) {
			undetected = append(undetected, layer)
		}
	}
	return verdict(fmt.Sprintf("self-test: %d isolation layers left out, one at a time, %d not detected", len(sandbox.Layers()), len(undetected)), undetected)
}
