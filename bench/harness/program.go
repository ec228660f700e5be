package harness

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// A Program is one benchmark command. It runs in the root of the checkout, after
// make bench-build.
type Program struct {
	// Name is the name in error messages.
	Name string
	// Tools are commands that must be installed.
	Tools []string
	// TempDir is the folder in which the program makes its own folder, or "" for the
	// system's default.
	TempDir string
	// Parts are the measurements, in order.
	Parts []Part
	// Roles are the functions that the program runs as a helper process, by name.
	// Command starts one.
	Roles map[string]func(arguments []string) error
}

// A Part is a group of measurements.
type Part struct {
	// Name selects the part with -only; several parts may share it.
	Name string
	// Run measures. It may write to dir, which is empty and absolute.
	Run func(ctx context.Context, dir string) ([]Result, error)
}

// Main runs the program and exits.
func (p Program) Main() {
	if err := p.run(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", p.Name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (p Program) run() error {
	if len(os.Args) > 1 {
		if role, ok := p.Roles[os.Args[1]]; ok {
			return role(os.Args[2:])
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	only := flag.String("only", "", "run only the parts whose name has this prefix")
	flag.Parse()
	for _, tool := range p.Tools {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("find %s: %w: run make setup", tool, err)
		}
	}
	results, err := p.measure(ctx, *only)
	if err != nil {
		return err
	}
	Print(os.Stdout, results)
	return Save(ResultsFile, results)
}

func (p Program) measure(ctx context.Context, only string) ([]Result, error) {
	base, err := os.MkdirTemp(p.TempDir, ".bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(base)
	// The user of PostgreSQL must reach its folder.
	if err := os.Chmod(base, 0o711); err != nil {
		return nil, err
	}
	if base, err = filepath.Abs(base); err != nil {
		return nil, err
	}
	var results []Result
	for i, part := range p.Parts {
		if !strings.HasPrefix(part.Name, only) {
			continue
		}
		dir := filepath.Join(base, fmt.Sprintf("%d-%s", i, part.Name))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
		found, err := part.Run(ctx, dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.Name, err)
		}
		results = append(results, found...)
	}
	return results, nil
}

// Command returns a command that runs this program in one of its roles. It is not
// started.
func Command(ctx context.Context, role string, arguments ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, self, append([]string{role}, arguments...)...), nil
}

// Processes are started helper processes. The zero value is empty.
type Processes struct{ running []*exec.Cmd }

// Start starts a command, whose standard error is this program's, and returns its
// process ID.
func (p *Processes) Start(c *exec.Cmd) (int, error) {
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		return 0, err
	}
	p.running = append(p.running, c)
	return c.Process.Pid, nil
}

// Stop interrupts all processes and waits until they have ended.
func (p *Processes) Stop() {
	for _, c := range p.running {
		_ = c.Process.Signal(os.Interrupt)
	}
	for _, c := range p.running {
		_ = c.Wait()
	}
	p.running = nil
}
