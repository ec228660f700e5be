package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jeton-dev/jeton/internal/engine/kubernetes/preflight"
	"github.com/jeton-dev/jeton/internal/runtime"
)

// doctorCommand reports which languages and isolation levels work on this machine.
type doctorCommand struct {
	Blobs                 string `help:"Report on this S3 bucket, too." placeholder:"URL"`
	Database              string `help:"Report on this PostgreSQL database, too." placeholder:"URL"`
	toolchainFlags        `group:"languages"`
	kubernetesDoctorFlags `group:"kubernetes"`
	// Probe is for the Pods that try the network.
	Probe string `hidden:"" help:"Try to connect to an address and report the result." placeholder:"HOST:PORT"`
}

// Run prints one section per topic. It needs no running server and changes
// nothing, except that it creates and deletes Pods with --kubernetes.
func (c *doctorCommand) Run(ctx context.Context, s streams) error {
	if c.Probe != "" {
		return preflight.Probe(ctx, c.Probe)
	}
	sections := []func(context.Context, io.Writer) error{c.printToolchains, printIsolation}
	if c.Kubernetes {
		sections = []func(context.Context, io.Writer) error{c.printKubernetes}
	}
	if c.Database != "" {
		sections = append(sections, c.printDatabase)
	}
	if c.Blobs != "" {
		sections = append(sections, c.printBlobs)
	}
	for i, section := range sections {
		if i > 0 {
			fmt.Fprintln(s.out)
		}
		if err := section(ctx, s.out); err != nil {
			return err
		}
	}
	return nil
}

// printToolchains prints the toolchain and the runtimes of each language, or how to
// install a missing toolchain.
func (c *doctorCommand) printToolchains(ctx context.Context, out io.Writer) error {
	var failed []error
	printf := func(format string, args ...any) {
		_, err := fmt.Fprintf(out, format, args...)
		failed = append(failed, err)
	}
	printf("Languages\n")
	for _, found := range runtime.FindToolchains(ctx, c.paths()).List() {
		if found.Missing != nil {
			printf("  %-7s missing  %v\n", found.Language, found.Missing)
			continue
		}
		printf("  %-7s %-8s %s\n", found.Language, found.Toolchain.Version, found.Toolchain.Path)
		printf("  %-7s %-8s serves %s\n", "", "", strings.Join(found.Runtimes, ", "))
	}
	return errors.Join(failed...)
}
