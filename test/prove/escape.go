package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/escape"
)

// escapeFromInstances has programs in five languages try to get out of where
// functions run.
func escapeFromInstances(ctx context.Context, s *stage) (string, error) {
	v, err := s.newServer(ctx)
	if err != nil {
		return "", err
	}
	defer v.stop()
	namespaceID, err := v.namespace(ctx, "escape")
	if err != nil {
		return "", err
	}
	bait, err := v.layBait(ctx, s, namespaceID)
	if err != nil {
		return "", err
	}
	defer func() { _ = bait.Close() }()
	var attempts, languages int
	var broken []string
	for _, p := range escape.Programs() {
		outcomes, err := v.tryToEscape(ctx, p, namespaceID, bait)
		if err != nil {
			return "", err
		}
		languages++
		for _, o := range outcomes {
			attempts++
			switch {
			case o.Open:
				broken = append(broken, o.Language+" had success with "+o.Attempt)
			case o.Honest != "":
				broken = append(broken, "the call behind "+o.Attempt+" in "+o.Language+" met "+o.Honest)
			}
		}
	}
	line := fmt.Sprintf("%d attempts to get out in %d languages, %d had success or harmed the next call", attempts, languages, len(broken))
	if len(broken) > 0 {
		return line + ": " + strings.Join(broken, "; "), errBroken
	}
	return line, nil
}

// layBait has another function, whose code is to be read, and what else there is
// to reach.
func (v *jeton) layBait(ctx context.Context, s *stage, namespaceID string) (*escape.Bait, error) {
	victim, err := v.deploy(ctx, namespaceID, "victim", fast, 1)
	if err != nil {
		return nil, err
	}
	code, err := filepath.Glob(filepath.Join(v.data, "artifacts", victim.ID, "*"))
	if err != nil || len(code) == 0 {
		return nil, fmt.Errorf("the code of another function is not where it is looked for: %w", err)
	}
	dir := filepath.Join(s.dir, "bait-"+filepath.Base(v.data))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return escape.NewBait(dir, filepath.Join(v.data, "jeton.db"), code[0], strings.TrimPrefix(v.api, "http://"), v.process.Process.Pid)
}

// escapeFromBuilds has the builds of hostile archives try to get out of where builds
// run, and to harm those of other projects.
func escapeFromBuilds(ctx context.Context, s *stage) (string, error) {
	v, err := s.newServer(ctx)
	if err != nil {
		return "", err
	}
	defer v.stop()
	namespaceID, err := v.namespace(ctx, "builds")
	if err != nil {
		return "", err
	}
	bait, err := v.layBait(ctx, s, namespaceID)
	if err != nil {
		return "", err
	}
	defer func() { _ = bait.Close() }()
	builds := &escape.Builds{API: v.API, NamespaceID: namespaceID, Bait: bait, CacheDir: filepath.Join(s.root, ".cache"), DataDir: v.data}
	outcomes, err := builds.Try(ctx)
	if err != nil {
		return "", err
	}
	var broken []string
	for _, o := range outcomes {
		if o.Open || o.Honest != "" {
			broken = append(broken, o.Attempt+" met "+o.Met)
		}
	}
	line := fmt.Sprintf("%d attempts by the builds of hostile archives, %d had success", len(outcomes), len(broken))
	if len(broken) > 0 {
		return line + ": " + strings.Join(broken, "; "), errBroken
	}
	return line, nil
}

func (v *jeton) tryToEscape(ctx context.Context, p escape.Program, namespaceID string, bait *escape.Bait) ([]escape.Outcome, error) {
	files, err := p.Files()
	if err != nil {
		return nil, err
	}
	memory := uint32(256)
	f, err := deploy.Function(ctx, v.API, &function.CreateFunctionRequest{
		NamespaceID: namespaceID, Name: "escape-" + p.Language, Runtime: function.FunctionRuntime(p.Runtime), Handler: &p.Handler,
		Privacy: function.FunctionPrivacyPublic, MemoryLimit: &memory,
	}, files)
	if err != nil {
		return nil, err
	}
	return escape.Try(ctx, p, p.Attempts, v.gateway, f.DomainName, bait.Query())
}

// missingWallsAreCaught leaves out one wall after the other: the test that the
// server makes when it starts must notice each.
func missingWallsAreCaught(ctx context.Context, _ *stage) (string, error) {
	h, err := sandbox.Open(sandbox.Full, fmt.Sprintf("jeton-prove-%d", os.Getpid()))
	if err != nil {
		return "", err
	}
	defer func() { _ = h.Close() }()
	var unnoticed []string
	for _, layer := range sandbox.Layers() {
		report, err := h.ProveWithout(ctx, layer)
		if err != nil {
			return "", err
		}
		if report.Holds(layer) {
			unnoticed = append(unnoticed, layer)
		}
	}
	line := fmt.Sprintf("test of the test: %d walls left out, one at a time, %d not noticed", len(sandbox.Layers()), len(unnoticed))
	if len(unnoticed) > 0 {
		return line + ": " + strings.Join(unnoticed, ", "), errBroken
	}
	return line, nil
}
