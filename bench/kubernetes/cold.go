package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/jeton-dev/jeton/bench/cold"
	"github.com/jeton-dev/jeton/bench/harness"
)

// Numbers of rounds are odd, so that there is a middle one.
var coldRounds = harness.Sized(15, 1)

// coldStarts measures the first call of each language's function in a warm Pod, and compares it
// with the first call of the same function in a warm sandbox of this machine.
func coldStarts(ctx context.Context, w *world) ([]harness.Result, error) {
	processes, err := w.startProcesses(ctx, "processes")
	if err != nil {
		return nil, err
	}
	defer processes.Close()
	var results []harness.Result
	for _, l := range harness.Sized(cold.Languages, cold.Languages[:1]) {
		result, err := w.coldStart(ctx, l, processes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
		results = append(results, result)
	}
	return results, nil
}

func (w *world) coldStart(ctx context.Context, l cold.Language, processes *cold.Server) (harness.Result, error) {
	pods, err := w.startPods(ctx, "pods-"+l.Name, spare)
	if err != nil {
		return harness.Result{}, err
	}
	defer pods.Close()
	if l.Name == "rust" {
		if l.Files, err = vendored(l.Files); err != nil {
			return harness.Result{}, err
		}
	}
	name := "cold-" + l.Name
	ours, err := pods.DeployHello(ctx, l, name)
	if err != nil {
		return harness.Result{}, fmt.Errorf("deploy in Pods: %w", err)
	}
	reference, err := processes.DeployHello(ctx, l, name)
	if err != nil {
		return harness.Result{}, fmt.Errorf("deploy on this machine: %w", err)
	}
	first := func(s *cold.Server, host string) func() (float64, error) {
		return func() (float64, error) {
			// Both sides start on an idle machine.
			if err := errors.Join(pods.WaitWarm(ctx), w.settle(ctx, spare)); err != nil {
				return 0, err
			}
			return s.FirstCall(ctx, host)
		}
	}
	took, err := harness.Rounds(coldRounds, first(pods, ours.DomainName), first(processes, reference.DomainName))
	if err != nil {
		return harness.Result{}, err
	}
	return harness.Compare("kubernetes-cold-"+l.Name, "ms", "<= 50 ms",
		"first call of a "+l.Name+" function in a warm Pod, compared with the process engine's first call", took[0], took[1]), nil
}

// vendored returns files with the crates that the tests use, since nothing in the cluster
// downloads crates.
func vendored(files map[string]string) (map[string]string, error) {
	files = maps.Clone(files)
	crates := filepath.Join("test", "crates", "registry")
	err := filepath.WalkDir(crates, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(crates, path)
		files[filepath.ToSlash(filepath.Join("vendor", name))] = string(content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read crates: %w", err)
	}
	return files, nil
}
