package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jeton-dev/jeton/internal/sandbox"
)

// printIsolation prints which isolation levels work on this machine. It starts a sandbox of
// each level and tries to escape from it.
func printIsolation(ctx context.Context, out io.Writer) error {
	var failed []error
	printf := func(format string, args ...any) {
		_, err := fmt.Fprintf(out, format, args...)
		failed = append(failed, err)
	}
	printf("Isolation\n")
	chosen, err := sandbox.Default()
	if err != nil {
		printf("  %v\n", err)
	}
	for _, level := range []sandbox.Level{sandbox.Full, sandbox.User, sandbox.Restricted} {
		report, err := tryLevel(ctx, level)
		verdict := "works"
		if err == nil {
			err = report.Err()
		}
		if err != nil {
			verdict = "does not work"
		}
		if level == chosen {
			verdict += " (selected by --isolation=auto)"
		}
		printf("  %-10s  %s\n", level, verdict)
		if err != nil {
			printf("  %-10s  cause     %v\n", "", err)
			continue
		}
		printf("  %-10s  provides  %s\n", "", level.Gives())
		printf("  %-10s  verified  %s\n", "", report.Names())
		printf("  %-10s  network   %s\n", "", networkOf(level))
		if level.Lacks() != "" {
			printf("  %-10s  lacks     %s\n", "", level.Lacks())
		}
	}
	printf("  %-10s  lacks     %s\n", sandbox.None, sandbox.None.Lacks())
	return errors.Join(failed...)
}

// networkOf reports whether functions and builds have a network at a level that works.
func networkOf(level sandbox.Level) string {
	if level == sandbox.Restricted {
		return "none"
	}
	err := sandbox.CheckTunnel()
	switch {
	case err == nil:
		return "works"
	case level == sandbox.Full:
		return fmt.Sprintf("missing, so that deployments fail unless --egress=none is set: %v", err)
	}
	return fmt.Sprintf("missing, so that functions and builds reach no other machine: %v", err)
}

func tryLevel(ctx context.Context, level sandbox.Level) (sandbox.Report, error) {
	host, err := sandbox.Open(level, fmt.Sprintf("jeton-doctor-%d", os.Getpid()))
	if err != nil {
		return nil, err
	}
	report, err := host.Prove(ctx)
	return report, errors.Join(err, host.Close())
}
