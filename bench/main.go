// Command bench is `make bench`: it measures Jeton beside what it is to be
// compared with, both sides in turn in one run, and prints ratios of medians.
// Times by themselves mean nothing on a shared machine.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/jeton-dev/jeton/bench/measure"
)

// proxyArgument has this program be the bare proxy of the gateway's benchmark.
const proxyArgument = "bare-proxy"

func main() {
	if len(os.Args) == 4 && os.Args[1] == proxyArgument {
		exit(bareProxy(os.Args[2], os.Args[3]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	only := flag.String("only", "", "run only the measure of this name: plan, gateway or cold-node")
	flag.Parse()
	exit(run(ctx, os.Stdout, *only))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// result is one line of bench/results.json. The ratio is ours to the
// reference's.
type result struct {
	ID        string  `json:"id"`
	Ours      float64 `json:"ours"`
	Reference float64 `json:"reference"`
	Ratio     float64 `json:"ratio"`
	Unit      string  `json:"unit"`
	Goal      string  `json:"goal"`
	Note      string  `json:"note"`
}

func run(ctx context.Context, out io.Writer, only string) error {
	b, err := newBench()
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	var results []result
	for _, m := range []struct {
		name string
		run  func(context.Context) ([]result, error)
	}{{"plan", b.plan}, {"gateway", b.gateway}, {"cold-node", b.coldNode}} {
		if only != "" && only != m.name {
			continue
		}
		found, err := m.run(ctx)
		if err != nil {
			return err
		}
		results = append(results, found...)
	}
	fmt.Fprintf(out, "%-20s %12s %12s %8s %-12s %-8s %s\n", "id", "ours", "reference", "ratio", "unit", "goal", "note")
	for _, r := range results {
		fmt.Fprintf(out, "%-20s %12.3f %12.3f %8.2f %-12s %-8s %s\n", r.ID, r.Ours, r.Reference, r.Ratio, r.Unit, r.Goal, r.Note)
	}
	if only != "" {
		return nil
	}
	encoded, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.root, "bench", "results.json"), append(encoded, '\n'), 0o644)
}

// bench is one run: root is the checkout, dir what the run may write to.
type bench struct{ root, dir string }

func newBench() (*bench, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "jeton-bench-")
	return &bench{root: root, dir: dir}, err
}

// compare makes a result of what both sides took.
func compare(id, unit, goal, note string, ours, reference []float64) result {
	o, r := measure.Median(ours), measure.Median(reference)
	return result{ID: id, Ours: o, Reference: r, Ratio: o / r, Unit: unit, Goal: goal, Note: note}
}
