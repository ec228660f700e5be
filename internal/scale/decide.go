package scale

import "time"

// A state is the input of decide.
type state struct {
	now    time.Time
	limits Limits
	// waiting counts the calls in the queue.
	waiting int
	// warming reports whether a caller waits for the revision's first instance.
	warming bool
	// starting counts the instances that were requested or are starting.
	starting int
	busy     int
	// idle holds when each idle instance became idle, the earliest first.
	idle []time.Time
	// retired means that the revision accepts no new calls.
	retired bool
	// notBefore is when the minimum may be restored after instances have ended by
	// themselves.
	notBefore time.Time
}

func (s state) live() int { return s.starting + s.busy + len(s.idle) }

// A decision is what to change now, and when to decide again if nothing happens
// before; the zero time means never.
type decision struct {
	start int
	// stop counts instances from the front of state.idle.
	stop  int
	again time.Time
}

// decide is the scaling policy. It starts instances for waiting calls, for callers
// of Warm, and for the minimum. It stops an instance that was idle for
// Config.IdleToOne, or the only instance after Config.IdleToZero.
func decide(s state, c Config) decision {
	var d decision
	d.start = min(s.demand(), s.limits.Max-s.live())
	d.start = max(d.start, 0)
	if missing := s.limits.Min - s.live() - d.start; missing > 0 && !s.retired {
		if s.now.Before(s.notBefore) {
			d.again = s.notBefore
		} else {
			d.start += missing
		}
	}
	for _, since := range s.idle {
		deadline, ok := s.deadline(since, s.live()+d.start-d.stop, c)
		if !ok {
			break
		}
		if s.now.Before(deadline) {
			d.again = earliest(d.again, deadline)
			break
		}
		d.stop++
	}
	return d
}

// demand counts the instances that callers wait for and that are not starting.
func (s state) demand() int {
	if s.warming && s.live() == 0 {
		return max(s.waiting, 1)
	}
	return s.waiting - s.starting
}

// deadline returns when to stop an instance, one of n, that became idle at a time.
// It returns false if the instance is not to be stopped.
func (s state) deadline(since time.Time, n int, c Config) (deadline time.Time, ok bool) {
	switch {
	case s.retired, n > s.limits.Max:
		return s.now, true
	case n <= s.limits.Min:
		return time.Time{}, false
	case n > 1:
		return since.Add(c.IdleToOne), true
	default:
		return since.Add(c.IdleToZero), true
	}
}

// earliest returns the earlier of two times; the zero time means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
