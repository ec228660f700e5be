// The command terraform-provider-scaleway serves the provider to Terraform and
// OpenTofu, which start it.
package main

import (
	"flag"
	"fmt"
	"os"
	gc "runtime/debug"
	"strconv"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/jeton-dev/jeton/internal/provider"
)

// version is set at build time, with -ldflags "-X main.version=1.2.3".
var version = "dev"

// identities is the environment variable that makes resources write resource
// identities, if it is true.
const identities = "JETON_RESOURCE_IDENTITY"

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
	options := provider.Options{Version: version}
	if text := os.Getenv(identities); text != "" {
		var err error
		if options.Identities, err = strconv.ParseBool(text); err != nil {
			return fmt.Errorf("read %s: %q is not a boolean: set it to true or false", identities, text)
		}
	}
	var served []tf6server.ServeOpt
	if debug {
		served = append(served, tf6server.WithManagedDebug())
	}
	return tf6server.Serve("registry.terraform.io/jeton-dev/scaleway", provider.NewServer(options), served...)
}
