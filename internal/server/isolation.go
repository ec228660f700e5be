package server

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/jeton-dev/jeton/internal/sandbox"
)

// AutoIsolation selects the highest isolation level that the server's user can use.
const AutoIsolation = "auto"

func isolationLevel(name string) (sandbox.Level, error) {
	if name == AutoIsolation {
		return sandbox.Default()
	}
	return sandbox.ParseLevel(name)
}

// checkIsolation returns an error if a layer of the level does not hold.
func checkIsolation(ctx context.Context, level sandbox.Level, probe func(context.Context) (sandbox.Report, error), log *slog.Logger) error {
	if level == sandbox.None {
		log.Warn("instances are not isolated: run only code that you trust", "given_up", level.Lacks())
		return nil
	}
	report, err := reports.of(ctx, level, probe)
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		return fmt.Errorf("isolation level %s does not hold on this machine: %w. 'jeton doctor' shows what each level can do here; "+
			"to use a lower level, name it with --isolation", level, err)
	}
	write := log.Info
	if level != sandbox.Full {
		write = log.Warn
	}
	write("instances are isolated", "level", level.String(), "proven", report.Names(), "given_up", level.Lacks())
	return nil
}

// reports are the successful checks of this process. A level is checked once, since
// the kernel does not change while the process runs.
var reports = reportsByLevel{found: map[sandbox.Level]sandbox.Report{}}

type reportsByLevel struct {
	mu    sync.Mutex
	found map[sandbox.Level]sandbox.Report
}

func (r *reportsByLevel) of(ctx context.Context, level sandbox.Level, probe func(context.Context) (sandbox.Report, error)) (sandbox.Report, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if report, ok := r.found[level]; ok {
		return report, nil
	}
	report, err := probe(ctx)
	if err == nil && report.Err() == nil {
		r.found[level] = report
	}
	return report, err
}
