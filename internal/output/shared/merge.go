package shared

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/internal/store"
)

const (
	// overlap is how much of what was stored is merged with the new lines.
	overlap = 10 * time.Second
	// window is how long a new line waits for older ones of other nodes.
	window = 300 * time.Millisecond
	// refreshInterval is the time between two looks at the members, and between two attempts
	// to reach one.
	refreshInterval = time.Second
)

// stored reports what all nodes have stored, merged by time: the lines from since, before
// until unless that is zero.
func (l *Logs) stored(ctx context.Context, functionID string, since, until time.Time, report Each) error {
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	read := func(from source, failed func(error) (output.Entry, bool)) *stream {
		s := &stream{lines: make(chan output.Entry, 64)}
		reading.Go(func() {
			defer close(s.lines)
			send := func(e output.Entry) error {
				select {
				case s.lines <- e:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			err := from(ctx, functionID, since, false, func(e output.Entry) error {
				if !until.IsZero() && !e.At.Before(until) {
					return nil
				}
				return send(e)
			})
			if err == nil || errors.Is(err, io.EOF) || ctx.Err() != nil {
				return
			}
			if note, ok := failed(err); ok {
				_ = send(note)
			} else {
				s.err = err
			}
		})
		return s
	}
	all := []*stream{read(l.local, func(error) (output.Entry, bool) { return output.Entry{}, false })}
	for _, m := range l.config.Others() {
		all = append(all, read(l.at(m), func(err error) (output.Entry, bool) { return l.missing(functionID, m, err), true }))
	}
	return merge(ctx, all, report)
}

// A stream has the lines of one node, oldest first. err is why it ended; it is set before
// lines is closed.
type stream struct {
	lines chan output.Entry
	err   error
	next  output.Entry
}

// advance reads the next line. It returns false at the end.
func (s *stream) advance() bool {
	var more bool
	s.next, more = <-s.lines
	return more
}

// merge reports the lines of streams by time.
func merge(ctx context.Context, all []*stream, report Each) error {
	var open []*stream
	for _, s := range all {
		if s.advance() {
			open = append(open, s)
		} else if s.err != nil {
			return s.err
		}
	}
	for len(open) > 0 {
		first := slices.MinFunc(open, func(a, b *stream) int { return a.next.At.Compare(b.next.At) })
		if err := report(first.next); err != nil {
			return err
		}
		if first.advance() {
			continue
		}
		if first.err != nil {
			return first.err
		}
		open = slices.DeleteFunc(open, func(s *stream) bool { return s == first })
	}
	return ctx.Err()
}

// follow reports the lines of all nodes from since as they arrive.
func (l *Logs) follow(ctx context.Context, functionID string, since time.Time, report Each) error {
	ctx, cancel := context.WithCancelCause(ctx)
	f := &following{logs: l, functionID: functionID, since: since, arrived: make(chan output.Entry, 64), sources: map[string]context.CancelFunc{}}
	defer f.reading.Wait()
	defer cancel(nil)
	f.reading.Go(func() {
		if err := l.local(ctx, functionID, since, true, f.send(ctx)); err != nil {
			cancel(err)
		}
	})
	f.refresh(ctx)
	refresh := time.NewTicker(refreshInterval)
	defer refresh.Stop()
	var waiting []arrival
	for {
		var due <-chan time.Time
		if len(waiting) > 0 {
			due = time.After(time.Until(waiting[0].due))
		}
		select {
		case e := <-f.arrived:
			waiting = append(waiting, arrival{e, time.Now().Add(window)})
			continue
		case <-refresh.C:
			f.refresh(ctx)
			continue
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-due:
		}
		var err error
		if waiting, err = flush(waiting, report); err != nil {
			return err
		}
	}
}

// An arrival is a line that waits for older ones until it is due.
type arrival struct {
	entry output.Entry
	due   time.Time
}

// flush reports the oldest lines up to the one that has waited longest, which is the first.
func flush(waiting []arrival, report Each) ([]arrival, error) {
	latest := waiting[0].entry.At
	var ready []output.Entry
	rest := waiting[:0:0]
	for _, a := range waiting {
		if a.entry.At.After(latest) {
			rest = append(rest, a)
		} else {
			ready = append(ready, a.entry)
		}
	}
	slices.SortStableFunc(ready, func(a, b output.Entry) int { return a.At.Compare(b.At) })
	for _, e := range ready {
		if err := report(e); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// following is the state of follow.
type following struct {
	logs       *Logs
	functionID string
	since      time.Time
	arrived    chan output.Entry
	reading    sync.WaitGroup
	// sources has what stops the reading of each other member.
	sources map[string]context.CancelFunc
}

func (f *following) send(ctx context.Context) Each {
	return func(e output.Entry) error {
		select {
		case f.arrived <- e:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// refresh begins to read from new members, and stops reading from former ones.
func (f *following) refresh(ctx context.Context) {
	current := map[string]bool{}
	for _, m := range f.logs.config.Others() {
		current[m.Incarnation] = true
		if f.sources[m.Incarnation] != nil {
			continue
		}
		member, stop := context.WithCancel(ctx)
		f.sources[m.Incarnation] = stop
		f.reading.Go(func() { f.read(member, m) })
	}
	for incarnation, stop := range f.sources {
		if !current[incarnation] {
			stop()
			delete(f.sources, incarnation)
		}
	}
}

// read reads the lines of a member until ctx ends, and connects again after an error.
func (f *following) read(ctx context.Context, m store.Member) {
	since, failing := f.since, false
	send := f.send(ctx)
	for ctx.Err() == nil {
		err := f.logs.at(m)(ctx, f.functionID, since, true, func(e output.Entry) error {
			since, failing = e.At.Add(1), false
			return send(e)
		})
		// A node that stops ends its answer, and leaves.
		if err != nil && !errors.Is(err, io.EOF) && !failing && ctx.Err() == nil {
			failing = true
			_ = send(f.logs.missing(f.functionID, m, err))
		}
		timer := time.NewTimer(refreshInterval)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}
