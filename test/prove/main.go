// Command prove implements `make prove`: it tries to break each promise of Jeton. It
// prints one line per proof, and exits with status 1 if a promise does not hold.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == lateArgument {
		exit(serveLate(os.Args[2]))
	}
	if len(os.Args) > 1 && os.Args[1] == attackArgument {
		exit(runAttack(os.Stdin, os.Stdout))
	}
	if len(os.Args) > 1 && os.Args[1] == nodeArgument {
		exit(serveNode(os.Args[2:]))
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

// errBroken is returned if a promise does not hold.
var errBroken = errors.New("a promise is broken")

// A proof tries to break one promise. It returns a line that describes what it tried, and
// errBroken if it succeeded.
type proof struct {
	promise int
	try     func(context.Context, *harness) (string, error)
}

func run(ctx context.Context, out io.Writer) error {
	h, err := newHarness()
	if err != nil {
		return err
	}
	defer h.close()
	var broken error
	for _, p := range selected([]proof{
		{1, revokeUnderLoad},
		{1, revokeAcrossKills},
		{1, lateGatewayIsDetected},
		{1, revokeInCluster},
		{1, unconfirmedAnswersAreDetected},
		{2, surviveKills},
		{2, lostTokenIsDetected},
		{2, surviveKillsInCluster},
		{3, secretsAreNotStored},
		{4, expireUnderLoad},
		{4, expireInCluster},
		{5, escapeFromInstances},
		{5, escapeFromBuilds},
		{5, missingLayersAreDetected},
		{6, serveUnderAttack},
		{7, officialStatesPlanEmpty},
		{7, changedStatesAreDetected},
		{8, projectsAreSeparate},
		{8, sharedProjectsAreDetected},
	}) {
		line, err := p.try(ctx, h)
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

const (
	// onlyVariable selects the proofs whose functions' names contain its value.
	onlyVariable = "JETON_PROVE_ONLY"
	// skipVariable leaves out the proofs whose functions' names contain one of its values,
	// which commas separate.
	skipVariable = "JETON_PROVE_SKIP"
)

// selected returns the proofs that the variables select: all if none is set.
func selected(all []proof) []proof {
	only, skip := os.Getenv(onlyVariable), strings.FieldsFunc(os.Getenv(skipVariable), func(r rune) bool { return r == ',' })
	return slices.DeleteFunc(all, func(p proof) bool {
		name := nameOf(p.try)
		return !strings.Contains(name, only) || slices.ContainsFunc(skip, func(part string) bool { return strings.Contains(name, part) })
	})
}

func nameOf(try any) string { return runtime.FuncForPC(reflect.ValueOf(try).Pointer()).Name() }
