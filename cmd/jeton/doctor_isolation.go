package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jeton-dev/jeton/internal/sandbox"
)

// printIsolation tells what each isolation level can do here, by trying to get out
// of a sandbox of it.
func printIsolation(ctx context.Context, out io.Writer) error {
	var failed []error
	say := func(format string, args ...any) {
		_, err := fmt.Fprintf(out, format, args...)
		failed = append(failed, err)
	}
	say("Isolation\n")
	chosen, err := sandbox.Default()
	if err != nil {
		say("  %v\n", err)
	}
	for _, level := range []sandbox.Level{sandbox.Full, sandbox.User, sandbox.Restricted} {
		report, err := tryLevel(ctx, level)
		verdict := "holds"
		if err == nil {
			err = report.Err()
		}
		if err != nil {
			verdict = "does not hold"
		}
		if level == chosen {
			verdict += ", and is the one of --isolation=auto"
		}
		say("  %-10s  %s\n", level, verdict)
		if err != nil {
			say("  %-10s  why     %v\n", "", err)
			continue
		}
		say("  %-10s  gives   %s\n", "", level.Gives())
		say("  %-10s  proven  %s\n", "", report.Names())
		if level.Lacks() != "" {
			say("  %-10s  lacks   %s\n", "", level.Lacks())
		}
	}
	say("  %-10s  lacks   %s\n", sandbox.None, sandbox.None.Lacks())
	return errors.Join(failed...)
}

func tryLevel(ctx context.Context, level sandbox.Level) (sandbox.Report, error) {
	host, err := sandbox.Open(level, fmt.Sprintf("jeton-doctor-%d", os.Getpid()))
	if err != nil {
		return nil, err
	}
	report, err := host.Prove(ctx)
	return report, errors.Join(err, host.Close())
}
