package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/jeton-dev/jeton/internal/provider"
	"github.com/jeton-dev/jeton/internal/provider/relay"
)

// sources are the addresses that `jeton tf` attaches: that of this provider, that of the
// official one, and the default of a configuration without required_providers.
var sources = []string{
	"registry.terraform.io/jeton-dev/scaleway", "registry.terraform.io/scaleway/scaleway", "registry.terraform.io/hashicorp/scaleway",
	"registry.opentofu.org/jeton-dev/scaleway", "registry.opentofu.org/scaleway/scaleway", "registry.opentofu.org/hashicorp/scaleway",
}

// attach serves `jeton tf` until a signal ends it: this provider, and the official one for the
// types that this one does not have.
func attach() error {
	attachment, err := provider.AttachmentFrom(os.Getenv)
	if err != nil {
		return err
	}
	if attachment == nil {
		return errors.New("attach: the environment has no server: run jeton tf")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	config := relay.Config{
		Own:     relay.Command{Path: self, Environment: os.Environ()},
		Logs:    os.Stderr,
		Sources: sources,
		Attached: func(reattach string) error {
			_, err := fmt.Fprintf(os.Stdout, "TF_REATTACH_PROVIDERS='%s'\n", reattach)
			return err
		},
	}
	if attachment.Official != "" {
		config.Rest = relay.Command{Path: attachment.Official, Environment: officialEnvironment(os.Environ(), attachment.URL)}
	}
	return relay.Serve(ctx, config)
}

// officialEnvironment returns the environment of the official provider: without the attachment,
// and without Scaleway's variables if they select the Jeton server.
func officialEnvironment(environment []string, url string) []string {
	ours := false
	for _, variable := range environment {
		value, ok := strings.CutPrefix(variable, "SCW_API_URL=")
		ours = ours || ok && strings.TrimRight(value, "/") == strings.TrimRight(url, "/")
	}
	var passed []string
	for _, variable := range environment {
		if strings.HasPrefix(variable, provider.AttachmentVariable+"=") || (ours && strings.HasPrefix(variable, "SCW_")) {
			continue
		}
		passed = append(passed, variable)
	}
	return passed
}
