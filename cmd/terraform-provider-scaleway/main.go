// The command terraform-provider-scaleway serves the provider to Terraform and
// OpenTofu, which start it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	gc "runtime/debug"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

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
	err := providerserver.Serve(context.Background(), provider.New(provider.Options{Version: version}), providerserver.ServeOpts{
		Address: "registry.terraform.io/jeton-dev/scaleway",
		Debug:   *debug,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
