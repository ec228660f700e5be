package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/internal/metrics"
	"github.com/jeton-dev/jeton/internal/ops"
	"github.com/jeton-dev/jeton/internal/tracing"
)

// flushTimeout is how long sending the last spans may take at the end.
const flushTimeout = 2 * time.Second

// observe opens what watches all the rest.
func (s *Server) observe(ctx context.Context) (err error) {
	s.metrics = metrics.New(s.config.Version)
	s.metrics.Behind(func() int64 { return max(s.store.Newest()-s.applied(), 0) })
	s.readiness = ops.NewReadiness(s.config.Now,
		ops.Check{Name: "start", Run: s.checkStart},
		ops.Check{Name: "store", Run: s.store.Check},
		ops.Check{Name: "changes", Run: s.checkChanges},
		ops.Check{Name: "engine", Run: s.checkEngine},
	)
	if s.tracer, err = tracing.Start(ctx, s.config.Version, s.log); err != nil {
		// The variables may be there for all programs of a machine.
		s.log.WarnContext(ctx, "no spans are sent", "error", err)
	}
	if s.tracer != nil {
		s.opens(closer(s.flush))
		s.log.InfoContext(ctx, "spans are sent")
	}
	return nil
}

// applied returns the number of the last change that all followers have applied, 0
// before they follow.
func (s *Server) applied() int64 {
	if s.followers == nil {
		return 0
	}
	return s.followers.Applied()
}

// openAudit opens the log of who has changed what.
func (s *Server) openAudit(context.Context) error {
	log, err := audit.Open(s.path(audit.File))
	if err != nil {
		return err
	}
	s.opens(log)
	s.auditor = &audit.Auditor{To: log, Now: s.config.Now, Log: s.log, Reads: s.config.AuditReads}
	return nil
}

// flush sends the last spans. Those that cannot be sent are no reason to end
// with an error.
func (s *Server) flush() error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := s.tracer.Close(ctx); err != nil {
		s.log.WarnContext(ctx, "the last spans were not sent", "error", err)
	}
	return nil
}

func (s *Server) checkStart(context.Context) error {
	if !s.restored.Load() {
		return errors.New("functions are being restored")
	}
	return nil
}

// changesTick is how often one looks whether a change has been applied by now.
const changesTick = 5 * time.Millisecond

// checkChanges waits until what is committed now has been applied.
func (s *Server) checkChanges(ctx context.Context) error {
	newest := s.store.Newest()
	tick := time.NewTicker(changesTick)
	defer tick.Stop()
	for s.applied() < newest {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d behind", newest-s.applied())
		}
	}
	return nil
}

func (s *Server) checkEngine(context.Context) error {
	if !s.scaling.Load() {
		return errors.New("it is not running")
	}
	return nil
}

// scrapeTimeout is room for the longest profile that is commonly asked for.
const scrapeTimeout = 2 * time.Minute

func (s *Server) opsServer() *http.Server {
	port := ops.Config{Readiness: s.readiness, Metrics: s.metrics.Handler(), Pprof: s.config.OpsPprof}
	return &http.Server{
		Handler:           port.Handler(),
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, ReadTimeout: headerTimeout, WriteTimeout: scrapeTimeout,
	}
}
