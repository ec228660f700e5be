// Command gateway is `make bench-gateway`: it measures the gateway beside
// httputil.ReverseProxy alone, nginx as plain proxy, and HAProxy with its own
// check of a JWT, all in front of the same instance, in turn in one run. It
// needs wrk, nginx and haproxy (make setup), and runs in the checkout's root.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/jeton-dev/jeton/bench/measure"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == roleArgument {
		exit(play(os.Args[2], os.Args[3]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-gateway:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context) error {
	for _, program := range []string{"wrk", "nginx", "haproxy"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("find %s: %w: run make setup", program, err)
		}
	}
	dir, err := os.MkdirTemp("", "jeton-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	found, err := measureProxies(ctx, dir)
	if err != nil {
		return err
	}
	ofTokens, err := measureTokens(ctx, dir)
	if err != nil {
		return err
	}
	found = append(found, ofTokens...)
	ofAdmission, err := measureAdmission(ctx)
	if err != nil {
		return err
	}
	found = append(found, ofAdmission...)
	fmt.Fprintln(os.Stdout)
	measure.Print(os.Stdout, found)
	return measure.Keep(measure.ResultsFile, found)
}

func self() (string, error) { return os.Executable() }
