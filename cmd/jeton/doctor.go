package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jeton-dev/jeton/internal/runtime"
)

// toolchainFlags say which programs serve the languages.
type toolchainFlags struct {
	Go     string `help:"Build Go functions with this program (default: go in PATH)." placeholder:"FILE"`
	Node   string `help:"Run Node functions with this program (default: node in PATH)." placeholder:"FILE"`
	Python string `help:"Run Python functions with this program (default: python3 in PATH)." placeholder:"FILE"`
	PHP    string `name:"php" help:"Run PHP functions with this program (default: php in PATH)." placeholder:"FILE"`
	Rust   string `help:"Build Rust functions with this rustc and the cargo beside it (default: rustc in PATH)." placeholder:"FILE"`
}

// paths are the programs by their language; empty for the one in PATH.
func (f toolchainFlags) paths() map[string]string {
	return map[string]string{
		runtime.Go: f.Go, runtime.Node: f.Node, runtime.Python: f.Python, runtime.PHP: f.PHP, runtime.Rust: f.Rust,
	}
}

// doctorCommand tells what the machine gives.
type doctorCommand struct{ toolchainFlags }

// Run prints one section after the other. It needs no running server, and changes
// nothing.
func (c *doctorCommand) Run(ctx context.Context, s streams) error {
	sections := []func(context.Context, io.Writer) error{c.printToolchains, printIsolation}
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

// printToolchains prints the languages, with what to install where it is missing.
func (c *doctorCommand) printToolchains(ctx context.Context, out io.Writer) error {
	var failed []error
	say := func(format string, args ...any) {
		_, err := fmt.Fprintf(out, format, args...)
		failed = append(failed, err)
	}
	say("Languages\n")
	for _, found := range runtime.FindToolchains(ctx, c.paths()).List() {
		if found.Missing != nil {
			say("  %-7s missing  %v\n", found.Language, found.Missing)
			continue
		}
		say("  %-7s %-8s %s\n", found.Language, found.Toolchain.Version, found.Toolchain.Path)
		say("  %-7s %-8s serves %s\n", "", "", strings.Join(found.Runtimes, ", "))
	}
	return errors.Join(failed...)
}
