// Command bench is `make bench`: it measures Jeton beside what it is to be
// compared with, both sides in turn in one run, and prints ratios of medians.
// Times by themselves mean nothing on a shared machine.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jeton-dev/jeton/bench/measure"
)

// proxyArgument has this program be the bare proxy of the gateway's benchmark.
const proxyArgument = "bare-proxy"

func main() {
	if len(os.Args) == 4 && os.Args[1] == proxyArgument {
		exit(bareProxy(strings.Split(os.Args[2], ","), os.Args[3]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	only := flag.String("only", "", "measure only this: provider or calls")
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

func run(ctx context.Context, out io.Writer, only string) error {
	b, err := newBench()
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	var results []measure.Result
	for _, m := range []struct {
		group string
		run   func(context.Context) ([]measure.Result, error)
	}{
		{"provider", b.providerStart},
		{"provider", b.plan},
		{"provider", b.planMany},
		{"calls", b.gateway},
	} {
		if only != "" && only != m.group {
			continue
		}
		found, err := m.run(ctx)
		if err != nil {
			return err
		}
		results = append(results, found...)
	}
	measure.Print(out, results)
	return measure.Keep(filepath.Join(b.root, measure.ResultsFile), results)
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
