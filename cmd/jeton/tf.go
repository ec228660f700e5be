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
	// reattachVariable is where terraform and tofu look for providers that run
	// already. They need no installation, no lock file and no init for those.
	reattachVariable = "TF_REATTACH_PROVIDERS"
	providerStart    = 20 * time.Second
)

// providerSources are the addresses that the provider answers to: its own, the
// official one's, and what a configuration without required_providers means.
var providerSources = []string{"jeton-dev/scaleway", "scaleway/scaleway", "hashicorp/scaleway"}

// tfCommand runs terraform or tofu against the local server.
type tfCommand struct {
	Args []string `arg:"" optional:"" passthrough:"" help:"What to pass on."`
}

// Run starts the provider, then terraform, and returns what terraform returns.
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
		return fmt.Errorf("no server uses %s now: start 'jeton serve'", line.DataDir)
	}
	program, err := findTerraform()
	if err != nil {
		return err
	}
	environment := os.Environ()
	for _, v := range variables {
		// The region is the configuration's own business; fr-par is the default
		// of the provider as well.
		if v.name != scw.ScwDefaultRegionEnv {
			environment = append(environment, v.name+"="+v.value)
		}
	}
	provider, reattach, err := startProvider(ctx, environment, s.err)
	if err != nil {
		return err
	}
	defer stopProvider(provider)

	// Terraform gets the terminal's signals itself, and is left to end in its
	// own way: so the context, which ends with the first of them, is not its.
	command := exec.CommandContext(context.WithoutCancel(ctx), program, c.Args...)
	command.Stdin, command.Stdout, command.Stderr = s.in, s.out, s.err
	command.Env = append(environment, reattachVariable+"="+reattach)
	if err := command.Start(); err != nil {
		return err
	}
	defer passOn(command.Process)()
	return command.Wait()
}

// passOn gives terraform the request to end that somebody made of jeton. An
// interrupt from the terminal has reached it already.
func passOn(process *os.Process) (stop func()) {
	requests := make(chan os.Signal, 1)
	signal.Notify(requests, syscall.SIGTERM)
	go func() {
		for request := range requests {
			_ = process.Signal(request)
		}
	}()
	return func() {
		signal.Stop(requests)
		close(requests)
	}
}

// tfHelp is for "jeton tf --help" alone; any other help is terraform's.
const tfHelp = `Usage: jeton tf <arguments of terraform>

Runs terraform, or tofu, with the provider and the local server set up for the
sources scaleway/scaleway, jeton-dev/scaleway and hashicorp/scaleway. No file of
the configuration changes, and the provider needs no init. Everything after tf
is passed on, and so is the exit status.

  JETON_DATA_DIR     the data folder of the server
  JETON_CREDENTIALS  the file with the API key
  JETON_TERRAFORM    the program to run (default: terraform, else tofu)`

// findTerraform returns the program that JETON_TERRAFORM names, or terraform,
// or tofu.
func findTerraform() (string, error) {
	if program := os.Getenv("JETON_TERRAFORM"); program != "" {
		return exec.LookPath(program)
	}
	for _, program := range []string{"terraform", "tofu"} {
		if path, err := exec.LookPath(program); err == nil {
			return path, nil
		}
	}
	return "", errors.New("neither terraform nor tofu is in PATH: install one, or name it in JETON_TERRAFORM")
}

// findProvider looks for the provider beside this program, then in PATH.
func findProvider() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), providerProgram)
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	path, err := exec.LookPath(providerProgram)
	if err != nil {
		return "", fmt.Errorf("%s is neither beside jeton nor in PATH: build it with 'make build'", providerProgram)
	}
	return path, nil
}

// startProvider runs the provider as a server of its own, which is how a
// debugger would, and returns how terraform reaches it under every address.
func startProvider(ctx context.Context, environment []string, errOut io.Writer) (*exec.Cmd, string, error) {
	path, err := findProvider()
	if err != nil {
		return nil, "", err
	}
	command := exec.CommandContext(context.WithoutCancel(ctx), path, "-debug")
	command.Env = environment
	command.Stderr = withoutTrace(errOut)
	command.SysProcAttr = apart()
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

// readReattach finds what the provider prints for people to copy, and repeats
// it for all the addresses.
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
	return "", errors.New("it did not say where it listens")
}

// withoutTrace passes on what a provider says but for the trace that it writes
// as a server of its own, unless that was asked for.
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
