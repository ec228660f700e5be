// Command api is `make bench-api`: it measures the control plane over HTTP, each
// thing beside the least that it can cost, in turn in one run. It needs terraform.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/jeton-dev/jeton/bench/measure"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == floorArgument {
		exit(tokenFloor(os.Args[2], os.Args[3]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-api:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context) error {
	// The folder is on the disk that the checkout is on: a temporary one may be in
	// memory, where fsync costs nothing.
	dir, err := os.MkdirTemp(".", ".bench-api-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	var results []measure.Result
	for _, part := range []func(context.Context, string) ([]measure.Result, error){
		createTokens, readyNamespaces, applyExample, readsUnderWrites, listTokens,
	} {
		found, err := part(ctx, dir)
		if err != nil {
			return err
		}
		results = append(results, found...)
	}
	measure.Print(os.Stdout, results)
	return measure.Keep(measure.ResultsFile, results)
}
