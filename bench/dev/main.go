// Command dev is `make bench-dev`. It measures the time from writing a file to the first response of
// the new code with jeton dev, and compares it with the plain server that a developer of the language
// would run. It needs the five toolchains.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/internal/runtime"
)

func main() {
	parts := make([]harness.Part, 0, len(languages))
	for _, l := range languages {
		parts = append(parts, harness.Part{Name: l.name, Run: func(ctx context.Context, dir string) ([]harness.Result, error) {
			return measure(ctx, l, dir)
		}})
	}
	harness.Program{Name: "bench-dev", Parts: parts}.Main()
}

// measure edits the same change with jeton dev and with the plain server, in turn.
func measure(ctx context.Context, l language, dir string) ([]harness.Result, error) {
	tool, err := toolOf(ctx, l)
	if err != nil {
		return nil, err
	}
	ours, err := startJeton(ctx, l, dir)
	if err != nil {
		return nil, err
	}
	defer ours.close()
	plain, err := startPlain(ctx, l, tool, filepath.Join(dir, "plain"))
	if err != nil {
		return nil, err
	}
	defer plain.close()
	round := 0
	took, err := harness.WarmRounds(harness.Sized(l.rounds, 1),
		func() (float64, error) { round++; return ours.edit(ctx, fmt.Sprintf("version %d", round)) },
		func() (float64, error) { return plain.edit(ctx, fmt.Sprintf("version %d", round)) })
	if err != nil {
		return nil, err
	}
	note := "from writing a file to the first response of its code, with jeton dev, compared with " + l.note
	return []harness.Result{harness.Compare("dev-"+l.name, "ms", l.goal, note, took[0], took[1])}, nil
}

// toolOf returns the path of the language's program.
func toolOf(ctx context.Context, l language) (string, error) {
	for _, found := range runtime.FindToolchains(ctx, nil).List() {
		if strings.EqualFold(found.Language, l.name) {
			return found.Toolchain.Path, found.Missing
		}
	}
	return "", errors.New("find toolchain of " + l.name + ": no such language")
}

// write writes the files of a language below a folder, with VERSION replaced.
func write(dir string, files map[string]string, version string) error {
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(content, "VERSION", version)), 0o644); err != nil {
			return err
		}
	}
	return nil
}
