package server

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"sync"

	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/node"
	"github.com/jeton-dev/jeton/internal/runtime/php"
	"github.com/jeton-dev/jeton/internal/runtime/python"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/internal/scale"
)

// AutoIsolation is the isolation level that the rights of the server are for.
const AutoIsolation = "auto"

// openEngine starts the engine at the configured level of isolation, once that
// was seen to hold. It never takes a lower one.
func (s *Server) openEngine(ctx context.Context) error {
	s.toolchains = runtime.FindToolchains(ctx, s.config.Toolchains)
	level, err := s.isolation()
	if err != nil {
		return fmt.Errorf("isolation: %w", err)
	}
	engine, err := process.New(process.Config{
		ReadyTimeout: s.config.StartTimeout, Isolation: level,
		Visible: interpreters(s.toolchains), Workers: prepared(s.toolchains), Spare: s.config.Spare, Egress: s.egress(),
		Disk: s.config.InstanceDisk, DiskDir: filepath.Join(s.config.CacheDir, "instances"),
		Output: s.keepLine, Cause: func(language string) process.Cause { return runtime.NewCause(language) },
	}, s.log)
	if err != nil {
		return err
	}
	s.engine = engine
	s.opens(engine)
	s.level = level
	s.toolchains.Isolate(engine.Host(), s.egress())
	if err := s.proveIsolation(ctx, level); err != nil {
		return err
	}
	watched := s.config.Scale
	watched.Memory = cmp.Or(watched.Memory, instancesMemory())
	watched.Observer = s.metrics.Starts()
	s.scaler = scale.New(engine, watched, s.log)
	s.metrics.Instances(s.scaler.Census)
	s.metrics.Isolation(level.String())
	s.metrics.WarmPool(engine.Prepared, engine.PreparedMemory)
	return nil
}

// instancesMemory is what instances may reserve unless the configuration says
// otherwise: 80 % of what this process may take, or no bound if that is not known.
func instancesMemory() int64 { return sandbox.AvailableMemory() / 10 * 8 }

func (s *Server) isolation() (sandbox.Level, error) {
	if s.config.Isolation == AutoIsolation {
		return sandbox.Default()
	}
	return sandbox.ParseLevel(s.config.Isolation)
}

// egress is what instances and builds reach of the network; nil for nothing.
func (s *Server) egress() *egress.Policy {
	if !s.config.Egress {
		return nil
	}
	return s.policy()
}

// policy is what builds reach that download, and instances at most.
func (s *Server) policy() *egress.Policy {
	return &egress.Policy{
		Deny: s.config.EgressDeny, Relays: s.config.EgressRelays, Resolver: cmp.Or(s.config.EgressResolver, egress.SystemResolver()), Now: s.config.Now,
	}
}

// proveIsolation refuses to go on behind walls that do not stand.
func (s *Server) proveIsolation(ctx context.Context, level sandbox.Level) error {
	if level == sandbox.None {
		s.log.Warn("instances are not isolated: run only code that you trust", "given_up", level.Lacks())
		return nil
	}
	report, err := proofs.of(ctx, level, s.engine.Prove)
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		return fmt.Errorf("isolation level %s does not hold on this machine: %w. 'jeton doctor' tells what each level can do here; "+
			"a lower one is taken only if --isolation names it", level, err)
	}
	log := s.log.Info
	if level != sandbox.Full {
		log = s.log.Warn
	}
	log("instances are isolated", "level", level.String(), "proven", report.Names(), "given_up", level.Lacks())
	return nil
}

// proofs are what this process has found out about the levels: once for each, for
// the kernel stays the same while it runs.
var proofs = proofsByLevel{found: map[sandbox.Level]sandbox.Report{}}

type proofsByLevel struct {
	mu    sync.Mutex
	found map[sandbox.Level]sandbox.Report
}

func (p *proofsByLevel) of(ctx context.Context, level sandbox.Level, prove func(context.Context) (sandbox.Report, error)) (sandbox.Report, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if report, ok := p.found[level]; ok {
		return report, nil
	}
	report, err := prove(ctx)
	if err == nil && report.Err() == nil {
		p.found[level] = report
	}
	return report, err
}

// workers are the interpreters that can be started ahead of need, by language.
func workers() map[string]runtime.Worker {
	return map[string]runtime.Worker{runtime.Node: node.Worker(), runtime.Python: python.Worker(), runtime.PHP: php.Worker()}
}

// prepared are those whose toolchain is on this machine, for the engine.
func prepared(toolchains *runtime.Toolchains) map[string]process.Worker {
	found := map[string]process.Worker{}
	for language, w := range workers() {
		command, err := w.Command(toolchains, path.Join(process.BootstrapDir, w.BootstrapName))
		if err == nil {
			found[language] = process.Worker{Command: command, Name: w.BootstrapName, Bootstrap: w.Bootstrap}
		}
	}
	return found
}

// interpreters are what instances must see of this machine, beside the system's
// own folders, for their interpreters to run.
func interpreters(toolchains *runtime.Toolchains) []string {
	var visible []string
	for language := range workers() {
		if t, err := toolchains.For(language); err == nil {
			visible = append(visible, t.Installation())
			if t.Settings != "" {
				visible = append(visible, t.Settings)
			}
		}
	}
	return visible
}
