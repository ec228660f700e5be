// The command terraform-provider-scaleway serves the provider to Terraform and
// OpenTofu, which start it.
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
	quieten(os.Environ())
	if os.Getenv("GOGC") == "" {
		// The process is small and lives for seconds.
		gc.SetGCPercent(400)
	}
	debug := flag.Bool("debug", false, "print how to attach Terraform to this process, for a debugger")
	flag.Parse()
	if err := serve(*debug); err != nil {
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
