package server

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"path"
	"path/filepath"
	"strconv"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/printed"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/languages"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/internal/scale"
)

// instances are the parts that run functions.
type instances struct {
	*runner

	scaler   *scale.Scaler
	output   *output.Logs
	recorder *outputRecorder
}

// A runner is an engine with the builders that belong to it.
type runner struct {
	engine interface {
		engine.Engine
		WarmCounts() map[string]int
		WarmMemory() int64
	}
	// dialer connects to instances that only the engine reaches; nil if there are none.
	dialer engine.Dialer
	// isolation names what isolates instances.
	isolation string
	// memory returns the memory in use by revisions, and budget is the default memory of all instances
	// in bytes; 0 for no limit.
	memory   func() map[string]int64
	budget   int64
	builders runtime.Builders
	// volumes makes builds use file systems of their own on this machine.
	volumes bool
	// serving returns the name and version of the toolchain of a language, and toolchain its error.
	serving   func(language string) string
	toolchain func(language string) error
}

// openInstances starts the engine at the configured isolation level. It returns an
// error if the level does not hold, and never uses a lower one.
func openInstances(ctx context.Context, b *base, o *observability, opened *closers) (*instances, error) {
	logs, err := output.Open(b.folder.path(output.Dir), b.config.LogSize)
	if err != nil {
		return nil, fmt.Errorf("logs of functions: %w", err)
	}
	opened.add(logs)
	r, err := openRunner(ctx, b, opened)
	if err != nil {
		return nil, err
	}
	scaling := b.config.Scale
	scaling.Memory = cmp.Or(scaling.Memory, r.budget)
	scaling.Observer = o.metrics.Starts()
	// A node that serves public functions without a lease also starts them.
	scaling.MayStart = func() bool { return b.config.PublicWithoutLease || b.node.Held() }
	scaler := scale.New(r.engine, scaling, b.log)
	recorder := &outputRecorder{logs: logs, requestOf: scaler.Serving, now: b.config.Now, log: b.log}
	r.engine.SetOutput(recorder.record)
	o.metrics.Instances(scaler.Counts, r.memory)
	o.metrics.Isolation(r.isolation)
	o.metrics.WarmPool(r.engine.WarmCounts, r.engine.WarmMemory)
	return &instances{runner: r, scaler: scaler, output: logs, recorder: recorder}, nil
}

func openRunner(ctx context.Context, b *base, opened *closers) (*runner, error) {
	if b.config.Engine == KubernetesEngine {
		return openPods(ctx, b, opened)
	}
	return openProcesses(ctx, b, opened)
}

// openPods starts the engine whose instances and builds are Pods.
func openPods(ctx context.Context, b *base, opened *closers) (*runner, error) {
	e, err := openKubernetes(ctx, b, opened)
	if err != nil {
		return nil, err
	}
	opened.add(e)
	image := imageOf(b.config.Kubernetes, b.config.Version)
	return &runner{
		engine: e, dialer: e, isolation: KubernetesEngine, memory: e.Memory,
		builders: podBuilders(b.config, e), serving: image, toolchain: func(string) error { return nil },
	}, nil
}

// openProcesses starts the engine whose instances are processes of this machine, at the configured
// isolation level.
func openProcesses(ctx context.Context, b *base, opened *closers) (*runner, error) {
	level, err := isolationLevel(b.config.Isolation)
	if err != nil {
		return nil, fmt.Errorf("isolation: %w", err)
	}
	toolchains := runtime.FindToolchains(ctx, b.config.Toolchains)
	e, err := process.New(process.Config{
		Artifacts: localArtifacts{b.artifacts}, Starter: starter{runtime.Starter{Toolchains: toolchains, Workers: languages.Workers()}},
		ReadyTimeout: b.config.StartTimeout, Isolation: level,
		Visible: interpreters(toolchains), Workers: installedWorkers(toolchains), WarmPool: b.config.WarmPool, Egress: instancePolicy(b),
		Disk: b.config.InstanceDisk, DiskDir: filepath.Join(b.config.CacheDir, "instances"), DiskReserve: b.config.DiskReserve,
		Cause: func(language string) printed.Cause { return runtime.NewCause(language) },
	}, b.log)
	if err != nil {
		return nil, err
	}
	opened.add(e)
	toolchains.Isolate(e.Host(), egressPolicy(b.config))
	if err := checkIsolation(ctx, level, e.Prove, b.log); err != nil {
		return nil, err
	}
	if level == sandbox.User && b.config.Egress {
		if err := e.Host().Connects(); err != nil {
			b.log.Warn("functions and builds have no network", "error", err)
		}
	}
	return &runner{
		engine: e, isolation: level.String(), memory: e.Memory, budget: instancesMemory(), builders: builders(b.config, toolchains),
		volumes: level == sandbox.Full, serving: toolchains.Serving,
		toolchain: func(language string) error { _, err := toolchains.For(language); return err },
	}, nil
}

// instancesMemory returns the default memory budget of all instances in bytes: 80 %
// of the memory available to this process, or 0 for no limit if that is unknown.
func instancesMemory() int64 { return sandbox.AvailableMemory() / 10 * 8 }

// egressPolicy returns the outbound connections that instances and builds may open;
// nil for none.
func egressPolicy(c Config) *egress.Policy {
	if !c.Egress {
		return nil
	}
	return &egress.Policy{
		Deny: c.EgressDeny, Relays: c.EgressRelays, Resolver: cmp.Or(c.EgressResolver, egress.SystemResolver()), Now: c.Now,
	}
}

// instancePolicy returns the policy of instances. In addition to egressPolicy they reach the
// services of this machine that the operator has named, and the gateway, to call other functions.
func instancePolicy(b *base) *egress.Policy {
	policy := egressPolicy(b.config)
	if policy == nil {
		return nil
	}
	policy.Host = map[uint16]string{}
	for _, r := range policy.Relays {
		if r.Host == egress.HostName {
			policy.Host[r.Port] = net.JoinHostPort("127.0.0.1", strconv.Itoa(int(r.Port)))
		}
	}
	// A function at a trusted address could set the headers of a proxy.
	if gateway, ok := b.listeners.gateway.Addr().(*net.TCPAddr); ok && !b.config.TrustedProxies.Contains(loopbackAddress) {
		policy.Host[uint16(gateway.Port)] = localAddress(b.listeners.gateway)
	}
	return policy
}

// loopbackAddress is the address from which functions reach the gateway.
var loopbackAddress = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// installedWorkers returns the workers whose toolchain is installed.
func installedWorkers(toolchains *runtime.Toolchains) map[string]process.Worker {
	found := map[string]process.Worker{}
	for language, w := range languages.Workers() {
		command, err := w.Command(toolchains, path.Join(process.BootstrapDir, w.BootstrapName))
		if err == nil {
			found[language] = process.Worker{Command: command, Name: w.BootstrapName, Bootstrap: w.Bootstrap}
		}
	}
	return found
}

// interpreters returns the folders of this machine that interpreters need in
// addition to the system's own folders.
func interpreters(toolchains *runtime.Toolchains) []string {
	var visible []string
	for language := range languages.Workers() {
		if t, err := toolchains.For(language); err == nil {
			visible = append(visible, t.Installation())
			if t.Settings != "" {
				visible = append(visible, t.Settings)
			}
		}
	}
	return visible
}

// localArtifacts implements process.Artifacts.
type localArtifacts struct{ artifacts blob.Local }

// Local implements process.Artifacts.
func (l localArtifacts) Local(ctx context.Context, functionID, artifact string) (dir string, release func(), err error) {
	return l.artifacts.Local(ctx, blob.Ref{FunctionID: functionID, Name: artifact})
}

// starter implements process.Starter.
type starter struct{ runtime.Starter }

// Start implements process.Starter.
func (s starter) Start(r engine.Revision, home string) (process.Start, error) {
	start, err := s.Starter.Start(r.Runtime, r.Handler, r.Launch, r.Env, home)
	return process.Start(start), err
}
