// Command terraform-provider-scaleway is the provider's plugin program. Terraform and
// OpenTofu start it.
package main

import (
	"flag"
	"fmt"
	"os"
	gc "runtime/debug"

	"github.com/jeton-dev/jeton/internal/provider"
)

// version is set at build time, with -ldflags "-X main.version=1.2.3".
var version = "dev"

func main() {
	disableLogs(os.Environ())
	if os.Getenv("GOGC") == "" {
		// The process uses little memory and ends after seconds: collect garbage less often.
		gc.SetGCPercent(400)
	}
	debug := flag.Bool("debug", false, "Print how to attach Terraform to this process, for use with a debugger.")
	relayed := flag.Bool("attach", false, "Serve jeton tf, which sets the environment.")
	flag.Parse()
	run := func() error { return serve(*debug) }
	if *relayed {
		run = attach
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(debug bool) error {
	options, err := provider.OptionsFrom(version, os.Getenv)
	if err != nil {
		return err
	}
	return provider.Serve(options, debug)
}
