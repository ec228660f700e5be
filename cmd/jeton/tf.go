package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/scaleway/scaleway-sdk-go/scw"
)

const (
	// reattachVariable lists running providers for terraform and tofu. Such providers
	// need no installation, no lock file and no init.
	reattachVariable = "TF_REATTACH_PROVIDERS"
	providerStart    = 20 * time.Second
)

// tfCommand runs terraform or tofu against a server. All flags but --adopt are terraform's: the
// server is selected by environment variables.
type tfCommand struct {
	Args []string `arg:"" optional:"" passthrough:"" help:"Arguments of terraform, after --adopt if the state is of another server."`
	// Commands that pass all arguments on have no flags.
	server remoteCommand
}

// adoptFlag allows a state that was written against another server.
const adoptFlag = "--adopt"

// Run starts the provider, then terraform, and returns the error of terraform.
func (c *tfCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	if slices.Equal(c.Args, []string{"--help"}) {
		_, err := fmt.Fprintln(s.out, tfHelp)
		return err
	}
	arguments, adopt := c.Args, false
	if len(arguments) > 0 && arguments[0] == adoptFlag {
		arguments, adopt = arguments[1:], true
	}
	program, err := findTerraform()
	if err != nil {
		return err
	}
	c.server.connectFlags = connectFlags{
		APIURL: os.Getenv("JETON_API_URL"), APIKey: os.Getenv("JETON_API_KEY"),
		Profile: os.Getenv("JETON_PROFILE"), Credentials: os.Getenv("JETON_CREDENTIALS"),
	}
	profile, err := c.server.profile(line.DataDir)
	if err != nil {
		return err
	}
	attached, err := c.attachment(ctx, line, profile)
	if err != nil {
		return err
	}
	attached.Adopt = adopt
	if attached.Official, err = officialProvider(arguments); err != nil {
		return err
	}
	provider, reattach, err := startProvider(ctx, attached, s.err)
	if err != nil {
		return err
	}
	defer stopProvider(provider)

	// Terraform receives the terminal's signals itself and shuts down gracefully, so the
	// first signal, which cancels ctx, must not kill it.
	command := exec.CommandContext(context.WithoutCancel(ctx), program, arguments...)
	command.Stdin, command.Stdout, command.Stderr = s.in, s.out, s.err
	command.Env = append(os.Environ(), reattachVariable+"="+reattach)
	for _, v := range profileVariables(profile) {
		// Programs that a configuration starts use the server too. Configurations select the region.
		if v.name != scw.ScwDefaultRegionEnv {
			command.Env = append(command.Env, v.name+"="+v.value)
		}
	}
	if err := command.Start(); err != nil {
		return err
	}
	defer forwardSignals(command.Process)()
	err = command.Wait()
	if err != nil && attached.Official == "" {
		hintOfficial(arguments, s.err)
	}
	return err
}

// forwardSignals sends SIGTERM on to process until stop is called. An interrupt from the
// terminal reaches the process directly.
func forwardSignals(process *os.Process) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() {
		for s := range signals {
			_ = process.Signal(s)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}

// tfHelp is the text of "jeton tf --help". terraform prints the help of its commands.
const tfHelp = `Usage: jeton tf [--adopt] <arguments of terraform>

Runs terraform or tofu against a server, with Jeton's provider for the sources
scaleway/scaleway, jeton-dev/scaleway and hashicorp/scaleway. The configuration
needs no changes, and the provider needs no init. The exit status is that of
terraform.

Provider blocks may select an API key and a project of the server; blocks of
other servers are refused. Resources other than functions are passed on to the
official provider, if 'terraform init' has installed it.

Flags:
  --adopt            Use a state that was written against another server: create
                     its objects here, and forget those of the other server.

Environment:
  JETON_DATA_DIR     Data directory of the server.
  JETON_CREDENTIALS  File with the API key.
  JETON_API_URL, JETON_API_KEY, JETON_PROFILE
                     Another server.
  JETON_TERRAFORM    Program to run (default: terraform, or else tofu).
  JETON_TF_OFFICIAL  Program of the official provider (default: the one below
                     .terraform); "none" disables it.`

// findTerraform returns the path of $JETON_TERRAFORM, or else of terraform or tofu.
func findTerraform() (string, error) {
	if program := os.Getenv("JETON_TERRAFORM"); program != "" {
		return exec.LookPath(program)
	}
	for _, program := range []string{"terraform", "tofu"} {
		if path, err := exec.LookPath(program); err == nil {
			return path, nil
		}
	}
	return "", errors.New("find terraform: neither terraform nor tofu is in PATH: install one, or set JETON_TERRAFORM")
}

// withoutTrace returns a writer that drops the provider's trace, unless TF_LOG or
// TF_LOG_PROVIDER is set.
func withoutTrace(out io.Writer) io.Writer {
	if os.Getenv("TF_LOG") != "" || os.Getenv("TF_LOG_PROVIDER") != "" {
		return out
	}
	return &traceFilter{out: out}
}

// traceFilter drops the lines that are entries of hclog in JSON.
type traceFilter struct {
	out  io.Writer
	rest []byte
}

func (f *traceFilter) Write(p []byte) (int, error) {
	f.rest = append(f.rest, p...)
	for {
		end := bytes.IndexByte(f.rest, '\n')
		if end < 0 {
			return len(p), nil
		}
		line := f.rest[:end+1]
		f.rest = f.rest[end+1:]
		if bytes.HasPrefix(line, []byte(`{"@`)) {
			continue
		}
		if _, err := f.out.Write(line); err != nil {
			return len(p), err
		}
	}
}

func stopProvider(provider *exec.Cmd) {
	_ = provider.Process.Signal(syscall.SIGTERM)
	_ = provider.Wait()
}
