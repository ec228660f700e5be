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
var coldRounds = harness.Sized(9, 1)

// coldStart measures the first call of a language's function in a warm Pod, and compares it with
// the first call of the same function in a warm sandbox of this machine.
func coldStart(l cold.Language) func(ctx context.Context, w *world) ([]harness.Result, error) {
	return func(ctx context.Context, w *world) ([]harness.Result, error) {
		pods, err := w.startPods(ctx, spare)
		if err != nil {
			return nil, err
		}
		defer pods.Close()
		processes, err := w.startProcesses(ctx)
		if err != nil {
			return nil, err
		}
		defer processes.Close()
		if l.Name == "rust" {
			if l.Files, err = vendored(l.Files); err != nil {
				return nil, err
			}
		}
		var sides []func() (float64, error)
		for _, s := range []*cold.Server{pods, processes} {
			f, err := s.DeployHello(ctx, l, "cold")
			if err != nil {
				return nil, err
			}
			sides = append(sides, func() (float64, error) {
				// Both sides start on an idle machine.
				if err := errors.Join(pods.WaitWarm(ctx), w.settle(ctx, spare)); err != nil {
					return 0, err
				}
				return s.FirstCall(ctx, f.DomainName)
			})
		}
		took, err := harness.Rounds(coldRounds, sides...)
		if err != nil {
			return nil, err
		}
		return []harness.Result{harness.Compare("kubernetes-cold-"+l.Name, "ms", "<= 50 ms",
			"first call of a "+l.Name+" function in a warm Pod, compared with the process engine's first call", took[0], took[1])}, nil
	}
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
