package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/server"
)

const (
	providerProgram = "terraform-provider-scaleway"
	// reattachVariable lists running providers for terraform and tofu. Such providers
	// need no installation, no lock file and no init.
	reattachVariable = "TF_REATTACH_PROVIDERS"
	providerStart    = 20 * time.Second
)

// providerSources are the source addresses that the provider serves: its own, that of the
// official provider, and the default of a configuration without required_providers.
var providerSources = []string{"jeton-dev/scaleway", "scaleway/scaleway", "hashicorp/scaleway"}

// tfCommand runs terraform or tofu against the local server.
type tfCommand struct {
	Args []string `arg:"" optional:"" passthrough:"" help:"Arguments of terraform."`
}

// Run starts the provider, then terraform, and returns the error of terraform.
func (c *tfCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	if slices.Equal(c.Args, []string{"--help"}) {
		_, err := fmt.Fprintln(s.out, tfHelp)
		return err
	}
	variables, err := clientEnvironment(line.DataDir, os.Getenv("JETON_CREDENTIALS"))
	if err != nil {
		return err
	}
	if !server.Serving(line.DataDir) {
		return fmt.Errorf("no server uses %s: start 'jeton serve'", line.DataDir)
	}
	program, err := findTerraform()
	if err != nil {
		return err
	}
	environment := os.Environ()
	for _, v := range variables {
		// Terraform configurations select the region; the provider's default is fr-par
		// too.
		if v.name != scw.ScwDefaultRegionEnv {
			environment = append(environment, v.name+"="+v.value)
		}
	}
	provider, reattach, err := startProvider(ctx, environment, s.err)
	if err != nil {
		return err
	}
	defer stopProvider(provider)

	// Terraform receives the terminal's signals itself and shuts down gracefully, so the
	// first signal, which cancels ctx, must not kill it.
	command := exec.CommandContext(context.WithoutCancel(ctx), program, c.Args...)
	command.Stdin, command.Stdout, command.Stderr = s.in, s.out, s.err
	command.Env = append(environment, reattachVariable+"="+reattach)
	if err := command.Start(); err != nil {
		return err
	}
	defer forwardSignals(command.Process)()
	return command.Wait()
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
const tfHelp = `Usage: jeton tf <arguments of terraform>

Runs terraform or tofu against the local server, with Jeton's provider for the
sources scaleway/scaleway, jeton-dev/scaleway and hashicorp/scaleway. The
configuration needs no changes, and the provider needs no init. The exit status
is that of terraform.

Environment:
  JETON_DATA_DIR     Data directory of the server.
  JETON_CREDENTIALS  File with the API key.
  JETON_TERRAFORM    Program to run (default: terraform, or else tofu).`

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

// findProvider returns the path of the provider: in the directory of this program, or else
// in PATH.
func findProvider() (string, error) {
	if self, err := os.Executable(); err == nil {
		path := filepath.Join(filepath.Dir(self), providerProgram)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(providerProgram)
	if err != nil {
		return "", fmt.Errorf("find %s: not in the directory of jeton or in PATH: build it with 'make build'", providerProgram)
	}
	return path, nil
}

// startProvider starts the provider as a server, as for a debugger, and returns the value
// of TF_REATTACH_PROVIDERS for it.
func startProvider(ctx context.Context, environment []string, errOut io.Writer) (*exec.Cmd, string, error) {
	path, err := findProvider()
	if err != nil {
		return nil, "", err
	}
	command := exec.CommandContext(context.WithoutCancel(ctx), path, "-debug")
	command.Env = environment
	command.Stderr = withoutTrace(errOut)
	command.SysProcAttr = detached()
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := command.Start(); err != nil {
		return nil, "", fmt.Errorf("start the provider: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, providerStart)
	defer cancel()
	stopWaiting := context.AfterFunc(ctx, func() { _ = command.Process.Kill() })
	defer stopWaiting()
	reattach, err := readReattach(output)
	if err != nil {
		stopProvider(command)
		return nil, "", fmt.Errorf("start the provider: %w", err)
	}
	go func() { _, _ = io.Copy(io.Discard, output) }()
	return command, reattach, nil
}

// readReattach reads TF_REATTACH_PROVIDERS from the provider's output, and returns it with
// an entry for each of providerSources.
func readReattach(output io.Reader) (string, error) {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		_, value, found := strings.Cut(lines.Text(), reattachVariable+"='")
		value, whole := strings.CutSuffix(value, "'")
		if !found || !whole {
			continue
		}
		var own map[string]json.RawMessage
		if err := json.Unmarshal([]byte(value), &own); err != nil {
			return "", err
		}
		all := map[string]json.RawMessage{}
		for _, config := range own {
			for _, source := range providerSources {
				all[source] = config
			}
		}
		encoded, err := json.Marshal(all)
		return string(encoded), err
	}
	return "", errors.New("it did not print " + reattachVariable)
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
