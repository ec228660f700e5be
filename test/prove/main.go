// Command prove is `make prove`: the long proofs of what Jeton promises. It
// prints one line a promise, and exits with 1 if any does not hold.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == lateArgument {
		exit(serveLate(os.Args[2]))
	}
	if len(os.Args) > 1 && os.Args[1] == attackArgument {
		exit(runAttack(os.Stdin, os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, os.Stdout))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// errBroken is a promise that does not hold.
var errBroken = errors.New("a promise is broken")

// A proof tries to break one promise, and returns the line that says what it
// tried, with errBroken if it could.
type proof struct {
	promise int
	try     func(context.Context, *stage) (string, error)
}

func run(ctx context.Context, out io.Writer) error {
	s, err := newStage()
	if err != nil {
		return err
	}
	defer s.close()
	var broken error
	for _, p := range []proof{
		{1, revokeUnderLoad},
		{1, revokeAcrossKills},
		{1, lateTableIsCaught},
		{2, surviveKills},
		{2, lossIsCaught},
		{3, nothingSecretIsKept},
		{4, expireUnderLoad},
		{5, escapeFromInstances},
		{5, escapeFromBuilds},
		{5, missingWallsAreCaught},
		{6, hostileLoad},
		{7, officialStatesPlanEmpty},
		{7, changedStatesAreCaught},
		{8, projectsAreSeparate},
		{8, sharedProjectsAreCaught},
	} {
		line, err := p.try(ctx, s)
		if err != nil && !errors.Is(err, errBroken) {
			return fmt.Errorf("promise %d: %w", p.promise, err)
		}
		verdict := ""
		if err != nil {
			verdict, broken = "BROKEN: ", errBroken
		}
		fmt.Fprintf(out, "promise %d: %s%s\n", p.promise, verdict, line)
	}
	return broken
}
