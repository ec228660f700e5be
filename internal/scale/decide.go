package scale

import "time"

// A state is all that the number of a revision's instances depends on.
type state struct {
	now    time.Time
	limits Limits
	// waiting counts the calls in the queue.
	waiting int
	// warming tells that someone waits for the revision's first instance.
	warming bool
	// coming counts the instances asked for or starting.
	coming int
	busy   int
	// idle holds since when each idle instance is, the longest idle first.
	idle []time.Time
	// retired tells that only the calls that wait already are still served.
	retired bool
	// notBefore holds back the instances that nobody waits for, after
	// instances have ended by themselves.
	notBefore time.Time
}

func (s state) live() int { return s.coming + s.busy + len(s.idle) }

// A decision is what to change now, and when to decide again if nothing happens
// before; the zero time stands for never.
type decision struct {
	start int
	// stop counts instances from the front of state.idle.
	stop  int
	again time.Time
}

// decide is the whole policy. An instance is started for a call or a warm-up
// that waits, and for the minimum; one is stopped when it was idle for too long
// beside others, or for long on its own.
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

// demand counts the starts that someone waits for and that are not under way.
func (s state) demand() int {
	if s.warming && s.live() == 0 {
		return max(s.waiting, 1)
	}
	return s.waiting - s.coming
}

// deadline returns until when an instance idle since then is kept, as one of n;
// ok is false if it is kept for good.
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

// earliest returns the earlier of two times, of which the zero time is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
