// Command start is `make bench-start`: it measures how soon a function answers that
// has no instance, isolated as it is by default, beside the bare interpreter or
// program, in turn in one run. It runs as root, and needs the five toolchains.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jeton-dev/jeton/bench/measure"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	only := flag.String("only", "", "measure only those whose name begins so: cold, burst, deploy or idle")
	flag.Parse()
	if err := run(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench-start:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string) error {
	dir, err := os.MkdirTemp("", "bench-start-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	crates, err := filepath.Abs(filepath.Join("test", "crates"))
	if err != nil {
		return err
	}
	var results []measure.Result
	for _, part := range []struct {
		name string
		run  func(context.Context, string, string) ([]measure.Result, error)
	}{
		{"cold", coldStarts}, {"burst", bursts}, {"deploy", deployGo}, {"idle", idleThousand},
	} {
		if !strings.HasPrefix(part.name, only) {
			continue
		}
		folder := filepath.Join(dir, part.name)
		if err := os.Mkdir(folder, 0o755); err != nil {
			return err
		}
		found, err := part.run(ctx, folder, crates)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		results = append(results, found...)
	}
	measure.Print(os.Stdout, results)
	return measure.Keep(measure.ResultsFile, results)
}
