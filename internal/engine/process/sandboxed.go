package process

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/child"
	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/printed"
	"github.com/jeton-dev/jeton/internal/sandbox"
)

// A sandboxedProcess is a sandbox with the channels of an instance. It may be created
// before its instance is known. It implements process.
type sandboxedProcess struct {
	*sandbox.Sandbox
	folder         *folder
	id             string
	level          sandbox.Level
	work           string
	address        engine.Address
	channels       channels
	stdout, stderr *printed.Lines
	// egress is the outbound network; nil for none.
	egress *egress.Link
	// worker reports whether an interpreter runs that waits for its function.
	worker bool
	limits sandbox.Limits
	memory int
}

// newSandboxed returns a sandbox in which no program runs, for a revision or, if that
// is nil, for any that sees only what all instances see.
func (e *Engine) newSandboxed(ctx context.Context, r *revision) (*sandboxedProcess, error) {
	id := e.config.NewID()
	s := &sandboxedProcess{
		folder: e.folder, id: id, level: e.host.Level(),
		stdout: printed.New(dropLine), stderr: printed.New(dropLine),
	}
	var err error
	if s.work, err = e.folder.addInstance(id); err != nil {
		return nil, err
	}
	if s.channels, s.address, err = openChannels(e.folder.socket(id)); err != nil {
		return nil, errors.Join(err, s.folder.removeInstance(id))
	}
	defer s.channels.closeInherited()
	layout := sandbox.Layout{
		Visible: e.visible, Placed: map[string]string{e.folder.bootstraps(): BootstrapDir},
		Files: s.channels.inherited(), Stdout: s.stdout, Stderr: s.stderr, Disk: e.config.Disk > 0,
	}
	if r != nil {
		layout.Visible = r.visible
	}
	if r != nil && !e.host.CanMountCode() {
		layout.Home, layout.Temporary = r.dir, sandbox.LimitsFor(r.source.MemoryLimit, r.source.CPULimit).Temporary
	}
	policy := e.config.Egress
	if policy != nil && e.host.Connects() == nil {
		layout.Resolver, layout.Interface = egress.ResolverAddress, tunnelInterface()
		layout.Hosts = egress.HostAddress + " " + egress.HostName + "\n"
	}
	if s.Sandbox, err = e.host.Start(ctx, layout); err != nil {
		return nil, errors.Join(err, s.channels.readiness.Close(), s.folder.removeInstance(id))
	}
	if layout.Resolver == "" {
		return s, nil
	}
	if s.egress, err = egress.Attach(s, policy); err != nil {
		s.discard()
		return nil, fmt.Errorf("%w (--egress=none runs instances without a network)", err)
	}
	return s, nil
}

// tunnelInterface returns the interface that the sandbox makes if the server cannot.
func tunnelInterface() *sandbox.Interface {
	name, address, gateway := egress.OwnInterface()
	return &sandbox.Interface{Name: name, Address: address, Gateway: gateway}
}

// dropLine is for lines that are printed before the instance is known.
func dropLine(string) {}

// spawnSandboxed starts the process of an instance in the best warm sandbox, or in a
// new one.
func (e *Engine) spawnSandboxed(in *instance) (*program, error) {
	for s := e.pool.claim(in.revision); s != nil; s = e.pool.claim(in.revision) {
		p, err := e.use(in, s)
		if err == nil {
			return p, nil
		}
		// The program in it may have ended.
		e.logger.Warn("use of a warm sandbox failed: trying another one", "instance", in.ID, "error", err)
	}
	s, err := e.newSandboxed(context.Background(), in.revision)
	if err != nil {
		return nil, err
	}
	return e.use(in, s)
}

// use starts an instance in a sandbox. If that fails, it ends the sandbox.
func (e *Engine) use(in *instance, s *sandboxedProcess) (*program, error) {
	e.bindOutput(in, s.stdout, s.stderr)
	if s.egress != nil {
		s.egress.Assign(in.revision.source.FunctionID, in.revision.source.ProjectID)
	}
	boost := e.boosts.take(in.revision.source.FunctionID)
	if err := s.enter(in.revision, boost > 0); err != nil {
		e.boosts.giveBack(in.revision.source.FunctionID, boost)
		s.Kill()
		status := s.Wait()
		return nil, errors.Join(err, errors.New(status), s.channels.readiness.Close())
	}
	in.address = s.address
	in.sandboxed.Store(s)
	return &program{process: s, boost: boost, stdout: s.stdout, stderr: s.stderr, readiness: s.channels.readiness}, nil
}

// enter starts an instance of a revision in the sandbox. If boosted is true, the
// instance has at least boostCPU until settle is called.
func (s *sandboxedProcess) enter(r *revision, boosted bool) error {
	s.memory = r.source.MemoryLimit
	s.limits = sandbox.LimitsFor(r.source.MemoryLimit, r.source.CPULimit)
	start := s.limits
	if boosted {
		start.CPU = max(start.CPU, boostCPU)
	}
	limited := make(chan error, 1)
	// MountCode waits for another thread: the limits are set concurrently.
	go func() { limited <- s.Limit(start) }()
	var err error
	if s.level == sandbox.Full {
		err = s.MountCode(r.dir, s.limits.Temporary)
	}
	if err := errors.Join(err, <-limited); err != nil {
		return err
	}
	if s.worker {
		return s.Assign(r.assignment)
	}
	p := sandbox.Program{
		Path: r.command[0], Args: r.command, Env: slices.Concat(s.environment(), r.env), Dir: sandbox.HomeDir,
		Profile: profileOf(r.language),
	}
	if s.level == sandbox.Restricted {
		p.Dir, p.Writable, p.Readable = s.work, []string{s.work}, []string{r.dir, filepath.Dir(r.command[0])}
	}
	return s.Exec(p)
}

// environment returns the default environment of instances. Variables of the
// revision override it.
func (s *sandboxedProcess) environment() []string { return environment(s.level, s.work) }

func environment(level sandbox.Level, work string) []string {
	home, temporary := sandbox.HomeDir, "/tmp"
	if level == sandbox.Restricted {
		home, temporary = work, filepath.Join(work, "tmp")
	}
	return []string{minimalPath, "HOME=" + home, "TMPDIR=" + temporary}
}

// settle sets the CPU limit of the revision.
func (s *sandboxedProcess) settle() error { return s.Limit(s.limits) }

// Wait returns how the process ended, when no process of the sandbox is left.
func (s *sandboxedProcess) Wait() string {
	end := s.Sandbox.Wait()
	status := child.Status(end.State)
	err := s.folder.removeInstance(s.id)
	if s.egress != nil {
		err = errors.Join(err, s.egress.Close())
	}
	if err != nil {
		status += ": " + err.Error()
	}
	if end.OutOfMemory {
		return fmt.Sprintf("out of memory: it took more than the limit of %d MB", s.memory)
	}
	return status
}

// profileOf returns the system call profile of a language.
func profileOf(language string) sandbox.Profile {
	switch profile := sandbox.Profile(strings.ToLower(language)); profile {
	case sandbox.Go, sandbox.Node, sandbox.PHP, sandbox.Python, sandbox.Rust:
		return profile
	}
	return sandbox.Generic
}

// discard ends a sandbox without an instance.
func (s *sandboxedProcess) discard() {
	s.Kill()
	_ = s.Wait() // It ends by the kill.
	_ = s.channels.readiness.Close()
}
