package launcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/agent/parcel"
	"github.com/jeton-dev/jeton/internal/agent/wire"
	"github.com/jeton-dev/jeton/internal/runtime"
)

// minimalPath is the PATH of functions, as on one machine.
const minimalPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// The names of files in the folder that the agent shares with the launcher.
const (
	// Socket is where the agent waits for the launcher.
	Socket = "launcher.sock"
	// Bootstraps is a folder with the bootstraps of interpreters.
	Bootstraps = "bootstraps"
	// Toolchains has the toolchains of the image, as runtime.DecodeToolchains reads them.
	Toolchains = "toolchains.json"
)

// Config configures a launcher. Dir, Home, Temporary and Start are required.
type Config struct {
	// Dir is the folder that the agent shares.
	Dir string
	// Home is the empty folder for the artifact, and Temporary that for temporary files.
	Home, Temporary string
	// Start returns how to start an instance of a task that sees its artifact at home.
	Start func(t wire.Task, home string) (runtime.Start, error)
	// Worker returns the command line of the interpreter that is started before the order, with
	// the bootstrap of a name in the folder bootstraps; nil for none.
	Worker func(bootstraps string) []string
	// Build builds the source of a task; nil refuses builds.
	Build func(ctx context.Context, t wire.Task, b runtime.Build) (runtime.Launch, error)
	// OutOfMemory returns how often the kernel has ended a process of the container because of
	// its memory limit.
	OutOfMemory func() int64
	// Memory returns the memory in use by the container, in bytes; 0 if it is unknown.
	Memory func() int64
	// Limits bound an artifact. The zero value means parcel.DefaultLimits.
	Limits parcel.Limits
}

// A launcher is the state of Run.
type launcher struct {
	config   Config
	agent    *wire.Conn
	listener *os.File
	worker   *program
	// stop receives Terminate and Kill, in order.
	stop chan wire.Kind
	// measure receives a value for Measure.
	measure chan struct{}
}

// Run connects to the agent, waits for one order, carries it out, and returns when the program
// has ended or the agent has. ctx bounds the wait for the agent only: Kubernetes ends both
// containers of a Pod at the same time, and the agent ends after the calls of the function.
func Run(ctx context.Context, c Config) error {
	if c.Dir == "" || c.Home == "" || c.Temporary == "" || c.Start == nil {
		return errors.New("launcher: Dir, Home, Temporary and Start are required")
	}
	if c.OutOfMemory == nil {
		c.OutOfMemory = func() int64 { return 0 }
	}
	if c.Memory == nil {
		c.Memory = func() int64 { return 0 }
	}
	if c.Limits == (parcel.Limits{}) {
		c.Limits = parcel.DefaultLimits
	}
	if err := hideMemory(); err != nil {
		return fmt.Errorf("launcher: %w", err)
	}
	conn, err := dialAgent(ctx, filepath.Join(c.Dir, Socket))
	if err != nil {
		return fmt.Errorf("launcher: connect to the agent: %w", err)
	}
	defer func() { _ = conn.Close() }()
	listener, err := receiveFile(conn)
	if err != nil {
		return fmt.Errorf("launcher: %w", err)
	}
	l := &launcher{config: c, agent: wire.NewConn(conn), listener: listener, stop: make(chan wire.Kind, 2), measure: make(chan struct{}, 1)}
	if err := l.run(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("launcher: %w", err)
	}
	return nil
}

// dialAgent connects to the agent, whose container may start later.
func dialAgent(ctx context.Context, socket string) (*net.UnixConn, error) {
	const interval = 10 * time.Millisecond
	for {
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
		if err == nil {
			return conn, nil
		}
		select {
		case <-time.After(interval):
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}

func (l *launcher) run(ctx context.Context) error {
	if err := l.prepare(); err != nil {
		return err
	}
	defer func() {
		if l.worker != nil {
			l.worker.discard()
		}
	}()
	if err := l.agent.Send(wire.Prepared, nil); err != nil {
		return err
	}
	kind, payload, err := l.agent.Receive()
	if err != nil {
		return err
	}
	if kind != wire.Order {
		return fmt.Errorf("received frame %q, want an order", byte(kind))
	}
	task, err := wire.DecodeTask(payload)
	if err != nil {
		return err
	}
	if task.Build {
		return l.build(ctx, task)
	}
	return l.serve(ctx, task)
}

// prepare starts the interpreter, if there is one.
func (l *launcher) prepare() error {
	if l.config.Worker == nil {
		return nil
	}
	command := l.config.Worker(filepath.Join(l.config.Dir, Bootstraps))
	if len(command) == 0 {
		return nil
	}
	var err error
	l.worker, err = l.start(command, l.environment(), true)
	return err
}

func (l *launcher) environment() []string {
	return []string{minimalPath, "HOME=" + l.config.Home, "TMPDIR=" + l.config.Temporary}
}

// serve starts the function of a task and reports until it has ended.
func (l *launcher) serve(ctx context.Context, task wire.Task) error {
	if !task.Unpacked {
		if err := l.receive(ctx, l.config.Home); err != nil {
			return l.fail(err)
		}
	}
	before := l.config.OutOfMemory()
	p, err := l.enter(task)
	if err != nil {
		return l.fail(err)
	}
	// The program serves until its listener is closed everywhere.
	_ = l.listener.Close()
	go l.receiveStops()
	go l.reportMemory()
	status := l.supervise(p)
	return l.agent.SendJSON(wire.Exited, wire.Exit{Status: status, OutOfMemory: l.config.OutOfMemory() > before})
}

// receive unpacks the archive that follows an order. A stop meanwhile is carried out later.
func (l *launcher) receive(ctx context.Context, dir string) error {
	archive := wire.NewArchive(l.agent, func(kind wire.Kind, _ []byte) error { return l.noteStop(kind) })
	return parcel.Unpack(ctx, archive, dir, l.config.Limits)
}

// noteStop accepts a frame that stops the program. The program is killed once at most, and
// terminated before that.
func (l *launcher) noteStop(kind wire.Kind) error {
	if kind != wire.Terminate && kind != wire.Kill {
		return fmt.Errorf("unexpected frame %q", byte(kind))
	}
	select {
	case l.stop <- kind:
	default:
	}
	return nil
}

// receiveStops passes on frames that stop the program or ask for its memory. At the end of the agent it
// kills.
func (l *launcher) receiveStops() {
	defer close(l.measure)
	for {
		kind, _, err := l.agent.Receive()
		if err == nil && kind == wire.Measure {
			// The answer must not delay a stop: it may wait behind output that the node does not read.
			select {
			case l.measure <- struct{}{}:
			default:
			}
			continue
		}
		if err == nil {
			err = l.noteStop(kind)
		}
		if err != nil {
			l.stop <- wire.Kill
			return
		}
	}
}

// reportMemory answers Measure until the agent ends.
func (l *launcher) reportMemory() {
	for range l.measure {
		_ = l.agent.SendUsage(l.config.Memory()) // receiveStops notices the end of the agent.
	}
}

func (l *launcher) fail(err error) error {
	return l.agent.SendJSON(wire.Exited, wire.Exit{Failure: err.Error()})
}

// enter makes the interpreter serve the task, or starts the program of the task.
func (l *launcher) enter(task wire.Task) (*program, error) {
	start, err := l.config.Start(task, l.config.Home)
	if err != nil {
		return nil, err
	}
	if len(start.Command) == 0 || !filepath.IsAbs(start.Command[0]) {
		return nil, fmt.Errorf("command %.100q has no absolute path", start.Command)
	}
	env := slices.Concat(l.environment(), start.Env)
	if w := l.worker; w != nil {
		l.worker = nil
		if start.UseWorker && w.assign(start.WorkerArguments, env) == nil {
			return w, nil
		}
		w.discard()
	}
	return l.start(start.Command, env, false)
}

// assign makes the interpreter of a worker serve a function.
func (p *program) assign(arguments, env []string) error {
	a := runtime.Assignment{Arguments: arguments, Environment: make(map[string]string, len(env))}
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		a.Environment[name] = value
	}
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = p.assignment.Write(text)
	return errors.Join(err, p.assignment.Close())
}

// build builds the source that follows an order, and sends the result.
func (l *launcher) build(ctx context.Context, task wire.Task) error {
	if l.config.Build == nil {
		return l.fail(errors.New("this container does not build"))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dirs := map[string]string{}
	for _, name := range []string{"source", "output", "cache"} {
		dirs[name] = path.Join(l.config.Home, name)
		if err := os.MkdirAll(dirs[name], 0o755); err != nil {
			return l.fail(err)
		}
	}
	if err := l.receive(ctx, dirs["source"]); err != nil {
		return l.fail(err)
	}
	var earlier parcel.Snapshot
	if task.Cache {
		if err := l.receive(ctx, dirs["cache"]); err != nil {
			return l.fail(err)
		}
		var err error
		if earlier, err = parcel.Look(ctx, dirs["cache"]); err != nil {
			return l.fail(err)
		}
	}
	continues := make(chan struct{}, 1)
	go func() {
		l.receiveContinues(continues)
		cancel()
	}()
	before := l.config.OutOfMemory()
	launch, err := l.config.Build(ctx, task, runtime.Build{
		Source: dirs["source"], Output: dirs["output"], Cache: dirs["cache"], Log: reporter{l.agent, wire.Stdout},
		Download: func(ctx context.Context, step func(context.Context) error) error {
			if err := l.awaitContinue(ctx, wire.Fetching, continues); err != nil {
				return err
			}
			return errors.Join(step(ctx), l.awaitContinue(ctx, wire.Fetched, continues))
		},
	})
	exit := wire.Exit{OutOfMemory: l.config.OutOfMemory() > before}
	if e, ok := errors.AsType[*runtime.BuildError](err); ok {
		exit.BuildError = e.Message
	} else if err != nil {
		exit.Failure = err.Error()
	} else if exit.Launch, err = json.Marshal(launch); err != nil {
		exit.Failure = err.Error()
	}
	if exit.Launch != nil {
		err := l.agent.SendArchive(func(w io.Writer) error { return parcel.Pack(ctx, dirs["output"], w) })
		if err == nil && task.Cache {
			err = l.agent.SendArchive(func(w io.Writer) error { return parcel.PackChanges(ctx, dirs["cache"], w, earlier) })
		}
		if err != nil {
			exit = wire.Exit{Failure: err.Error()}
		}
	}
	return l.agent.SendJSON(wire.Exited, exit)
}

// receiveContinues passes on frames that continue a build. It returns at the end of the agent, or when
// the build must end.
func (l *launcher) receiveContinues(continues chan<- struct{}) {
	for {
		kind, _, err := l.agent.Receive()
		if err != nil || kind != wire.Continue {
			return
		}
		select {
		case continues <- struct{}{}:
		default:
			return // Nothing has asked for it.
		}
	}
}

// awaitContinue tells the node about a step of a build, and waits until the build may continue.
func (l *launcher) awaitContinue(ctx context.Context, kind wire.Kind, continues <-chan struct{}) error {
	if err := l.agent.Send(kind, nil); err != nil {
		return err
	}
	select {
	case <-continues:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A reporter sends what is written to it.
type reporter struct {
	agent *wire.Conn
	kind  wire.Kind
}

// Write implements io.Writer.
func (r reporter) Write(p []byte) (int, error) {
	for part := range slices.Chunk(p, wire.PartSize) {
		if err := r.agent.Send(r.kind, part); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
