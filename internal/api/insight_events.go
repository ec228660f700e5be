package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/live"
)

// batchTime is the minimum time between two events of a stream. What happens in between
// is sent together.
const batchTime = 200 * time.Millisecond

// buildTick is the time between two looks at a build: short builds take a tenth of a second.
const buildTick = 50 * time.Millisecond

// changedObject is a change of an object in an event.
type changedObject struct {
	Kind         string           `json:"kind"`
	ID           string           `json:"id"`
	Deleted      bool             `json:"deleted"`
	ProjectID    string           `json:"project_id"`
	NamespaceID  string           `json:"namespace_id"`
	FunctionID   string           `json:"function_id"`
	Name         string           `json:"name"`
	Status       functions.Status `json:"status"`
	StateMessage string           `json:"state_message"`
}

// followEvents streams the changes of the objects that the API key covers, and each new
// sample of the metrics.
func (a *API) followEvents(r *http.Request, scope functions.Scope) (any, error) {
	in, err := a.insight()
	if err != nil {
		return nil, err
	}
	return a.events(r, scope, func(ctx context.Context, s *eventStream) error {
		var mu sync.Mutex // guards visible
		visible := s.scope
		subscription := in.View.Subscribe(func(e live.Event) bool {
			mu.Lock()
			defer mu.Unlock()
			return (e.Region == "" || e.Region == visible.Region) && visible.Covers(e.ProjectID)
		})
		defer subscription.Close()
		if err := s.comment(); err != nil {
			return err
		}
		for {
			batch, err := nextBatch(ctx, s, subscription)
			mu.Lock()
			visible = s.scope // the projects of the key can have changed
			mu.Unlock()
			if err != nil || ctx.Err() != nil {
				return err
			}
			if err := sendBatch(s, batch); err != nil {
				return err
			}
		}
	})
}

// nextBatch waits for the next events. It keeps the stream open while there are none.
func nextBatch(ctx context.Context, s *eventStream, subscription *live.Subscription) (live.Batch, error) {
	idle := time.NewTicker(heartbeat)
	defer idle.Stop()
	for {
		select {
		case <-subscription.Ready():
			select {
			case <-time.After(batchTime):
			case <-ctx.Done():
			}
			return subscription.Take(), s.check()
		case <-idle.C:
			if err := s.comment(); err != nil {
				return live.Batch{}, err
			}
		case <-ctx.Done():
			return live.Batch{}, nil
		}
	}
}

func sendBatch(s *eventStream, batch live.Batch) error {
	if batch.Reset {
		if err := s.send("reset", struct{}{}); err != nil {
			return err
		}
	}
	if len(batch.Events) > 0 {
		changes := make([]changedObject, len(batch.Events))
		for i, e := range batch.Events {
			changes[i] = changedObject{
				Kind: e.Kind, ID: e.ID, Deleted: e.Deleted, ProjectID: e.ProjectID, NamespaceID: e.NamespaceID, FunctionID: e.FunctionID,
				Name: e.Name, Status: e.Status, StateMessage: e.Message,
			}
		}
		if err := s.send("changes", changes); err != nil {
			return err
		}
	}
	if batch.Sampled {
		return s.send("sample", struct{}{})
	}
	return nil
}

// maxBatch is the maximum number of log lines of one event.
const maxBatch = 500

// logEvent has new lines of a log. Skipped is the number of lines before them that are not
// sent, because there were too many.
type logEvent struct {
	Lines   []LogLine `json:"lines"`
	Skipped int       `json:"skipped"`
}

// lineBuffer collects lines between two events. Its size is bounded.
type lineBuffer struct {
	mu      sync.Mutex
	pending logEvent
}

func (b *lineBuffer) add(line LogLine) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pending.Lines) >= 2*maxBatch {
		dropped := len(b.pending.Lines) - maxBatch + 1
		b.pending.Skipped += dropped
		b.pending.Lines = append([]LogLine(nil), b.pending.Lines[dropped:]...)
	}
	b.pending.Lines = append(b.pending.Lines, line)
}

func (b *lineBuffer) take() logEvent {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.pending
	if excess := len(taken.Lines) - maxBatch; excess > 0 {
		taken.Skipped += excess
		taken.Lines = taken.Lines[excess:]
	}
	b.pending = logEvent{}
	return taken
}

// followLog streams the log of a function: its newest lines, and then new ones.
func (a *API) followLog(r *http.Request, scope functions.Scope) (any, error) {
	f, err := a.functionInPath(r, scope)
	if err != nil {
		return nil, err
	}
	return a.events(r, scope, func(ctx context.Context, s *eventStream) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		buffer, ended := new(lineBuffer), make(chan error, 1)
		go func() {
			ended <- a.config.Logs.Lines(ctx, f.ID, time.Time{}, true, func(line LogLine) error {
				buffer.add(line)
				return ctx.Err()
			})
		}()
		return s.sendLines(ctx, buffer, ended)
	})
}

// sendLines sends the lines of a buffer until ctx or the reader of the log ends.
func (s *eventStream) sendLines(ctx context.Context, buffer *lineBuffer, ended <-chan error) error {
	if err := s.comment(); err != nil {
		return err
	}
	tick, idle := time.NewTicker(batchTime), time.NewTicker(heartbeat)
	defer tick.Stop()
	defer idle.Stop()
	for {
		select {
		case <-tick.C:
			if event := buffer.take(); len(event.Lines) > 0 {
				if err := s.send("lines", event); err != nil {
					return err
				}
			}
		case <-idle.C:
			if err := s.comment(); err != nil {
				return err
			}
		case err := <-ended:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// buildEvent is a part of the log of a build. The first part of a build replaces what was
// sent before.
type buildEvent struct {
	Text    string `json:"text"`
	Replace bool   `json:"replace"`
	Running bool   `json:"running"`
}

// followBuild streams the log of the latest build of a function, and those of later ones.
func (a *API) followBuild(r *http.Request, scope functions.Scope) (any, error) {
	in, f, err := a.insightFunction(r, scope)
	if err != nil {
		return nil, err
	}
	return a.events(r, scope, func(ctx context.Context, s *eventStream) error {
		return s.sendBuilds(ctx, in, f.ID)
	})
}

// lastDeployment identifies the newest deployment of a function and its status. A build may
// begin and end between two looks at it; its deployment shows that there was one.
func (in *Insight) lastDeployment(functionID string) string {
	all := in.View.Deployments(functionID)
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprint(all[0].Generation, " ", all[0].Status)
}

func (s *eventStream) sendBuilds(ctx context.Context, in *Insight, functionID string) error {
	if err := s.comment(); err != nil {
		return err
	}
	tick, idle := time.NewTicker(buildTick), time.NewTicker(heartbeat)
	defer tick.Stop()
	defer idle.Stop()
	sent, building, shown, known, last := "", false, false, "", ""
	for {
		deployment := in.lastDeployment(functionID)
		text, running := in.Builds.Running(ctx, functionID)
		switch {
		case running && (!building || text != sent):
			added, continues := strings.CutPrefix(text, sent)
			event := buildEvent{Text: added, Running: true, Replace: !building || !continues}
			if event.Replace {
				event.Text = text
			}
			if err := s.send("build", event); err != nil {
				return err
			}
			sent, building, shown = text, true, true
		case !running && (building || !shown || deployment != known):
			finished, err := in.Builds.Finished(ctx, functionID)
			if err != nil {
				return err
			}
			if building || !shown || finished != last {
				if err := s.send("build", buildEvent{Text: finished, Replace: true}); err != nil {
					return err
				}
			}
			sent, building, shown, known, last = "", false, true, deployment, finished
		}
		select {
		case <-tick.C:
		case <-idle.C:
			if err := s.comment(); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}
