package process

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/sandbox"
)

// A box is a sandbox with what an instance needs, from before it is known which
// instance that will be. It is a process.
type box struct {
	*sandbox.Sandbox
	folder         *folder
	id             string
	level          sandbox.Level
	work           string
	address        engine.Address
	channels       channels
	stdout, stderr *lines
	// egress is the way out to the network; nil if there is none.
	egress *egress.Link
	// worker is true for an interpreter that waits for its function.
	worker bool
	limits sandbox.Limits
	memory int
}

// newBox makes a box in which nothing runs: for a revision, or for whatever comes.
func (e *Engine) newBox(ctx context.Context, r *revision) (*box, error) {
	id := e.config.NewID()
	b := &box{
		folder: e.folder, id: id, level: e.host.Level(),
		stdout: newLines(unheard), stderr: newLines(unheard),
	}
	var err error
	if b.work, err = e.folder.addInstance(id); err != nil {
		return nil, err
	}
	if b.channels, b.address, err = openChannels(e.folder.socket(id)); err != nil {
		return nil, errors.Join(err, b.folder.removeInstance(id))
	}
	defer b.channels.closeTheirs()
	layout := sandbox.Layout{
		Visible: e.visible, Placed: map[string]string{e.folder.bootstraps(): BootstrapDir},
		Files: b.channels.theirs(), Stdout: b.stdout, Stderr: b.stderr, Disk: e.config.Disk > 0,
	}
	if r != nil {
		layout.Visible = r.visible
	}
	if r != nil && !e.host.CanMountCode() {
		layout.Home, layout.Temporary = r.dir, sandbox.LimitsFor(r.memory, r.cpu).Temporary
	}
	policy := e.config.Egress
	if policy != nil && e.host.CanMountCode() {
		layout.Resolver = egress.ResolverAddress
	}
	if b.Sandbox, err = e.host.Start(ctx, layout); err != nil {
		return nil, errors.Join(err, b.channels.readiness.Close(), b.folder.removeInstance(id))
	}
	if layout.Resolver == "" {
		return b, nil
	}
	if b.egress, err = egress.Attach(b.Network(), policy); err != nil {
		b.discard()
		return nil, fmt.Errorf("%w (--egress=none has instances do without the network)", err)
	}
	return b, nil
}

// unheard is for what is printed before there is an instance to print it.
func unheard(string) {}

// spawnIsolated starts the process of an instance in a sandbox: in the best that
// was prepared, or in one of its own.
func (e *Engine) spawnIsolated(in *instance) (*program, error) {
	for b := e.pool.claim(in.revision); b != nil; b = e.pool.claim(in.revision) {
		p, err := e.occupy(in, b)
		if err == nil {
			return p, nil
		}
		// What waited in it has ended since.
		e.logger.Warn("a prepared sandbox was of no use", "instance", in.id, "error", err)
	}
	b, err := e.newBox(context.Background(), in.revision)
	if err != nil {
		return nil, err
	}
	return e.occupy(in, b)
}

// occupy brings an instance into a box, which is gone if that fails.
func (e *Engine) occupy(in *instance, b *box) (*program, error) {
	e.bindOutput(in, b.stdout, b.stderr)
	if b.egress != nil {
		b.egress.Assign(in.revision.functionID, in.revision.projectID)
	}
	boost := e.boosts.take(in.revision.functionID)
	if err := b.enter(in.revision, boost > 0); err != nil {
		e.boosts.giveBack(in.revision.functionID, boost)
		b.Kill()
		status := b.Wait()
		return nil, errors.Join(err, errors.New(status), b.channels.readiness.Close())
	}
	in.address = b.address
	return &program{process: b, boost: boost, stdout: b.stdout, stderr: b.stderr, readiness: b.channels.readiness}, nil
}

// enter brings a revision into the box. Boosted, it has a whole CPU until it settles.
func (b *box) enter(r *revision, boosted bool) error {
	b.memory = r.memory
	b.limits = sandbox.LimitsFor(r.memory, r.cpu)
	start := b.limits
	if boosted {
		start.CPU = max(start.CPU, boostCPU)
	}
	limited := make(chan error, 1)
	// Revealing waits for another thread: the limits are set meanwhile.
	go func() { limited <- b.Limit(start) }()
	var err error
	if b.level == sandbox.Full {
		err = b.MountCode(r.dir, b.limits.Temporary)
	}
	if err := errors.Join(err, <-limited); err != nil {
		return err
	}
	if b.worker {
		return b.Assign(r.assignment)
	}
	p := sandbox.Program{
		Path: r.command[0], Args: r.command, Env: slices.Concat(b.environment(), r.env), Dir: sandbox.HomeDir,
		Profile: profileOf(r.language),
	}
	if b.level == sandbox.Restricted {
		p.Dir, p.Writable, p.Readable = b.work, []string{b.work}, []string{r.dir, filepath.Dir(r.command[0])}
	}
	return b.Exec(p)
}

// environment is what each instance finds in its environment, unless its revision
// says otherwise: the last of two variables of one name counts.
func (b *box) environment() []string { return environment(b.level, b.work) }

func environment(level sandbox.Level, work string) []string {
	home, temporary := sandbox.HomeDir, "/tmp"
	if level == sandbox.Restricted {
		home, temporary = work, filepath.Join(work, "tmp")
	}
	return []string{minimalPath, "HOME=" + home, "TMPDIR=" + temporary}
}

// settle has the limit of the CPU hold.
func (b *box) settle() error { return b.Limit(b.limits) }

// Wait returns how the process ended, after the end of all in the sandbox.
func (b *box) Wait() string {
	end := b.Sandbox.Wait()
	status := describe(end.State)
	err := b.folder.removeInstance(b.id)
	if b.egress != nil {
		err = errors.Join(err, b.egress.Close())
	}
	if err != nil {
		status += ": " + err.Error()
	}
	if end.OutOfMemory {
		return fmt.Sprintf("out of memory: it took more than the limit of %d MB", b.memory)
	}
	return status
}

// profileOf is the list of system calls for a language.
func profileOf(language string) sandbox.Profile {
	switch profile := sandbox.Profile(strings.ToLower(language)); profile {
	case sandbox.Go, sandbox.Node, sandbox.PHP, sandbox.Python, sandbox.Rust:
		return profile
	}
	return sandbox.Generic
}
