package metrics

import (
	"time"

	dto "github.com/prometheus/client_model/go"
)

// totals are the values of the series of one function since the start of the server.
type totals struct {
	calls, errors, coldStarts uint64
	// buckets are the cumulative counts of the histogram of durations.
	buckets [buckets]uint64
}

const buckets = 18 // len(callBuckets)

// totals reads the series of a function.
func (s *functionSeries) totals() totals {
	var t totals
	for i, class := range s.classes {
		var m dto.Metric
		if err := class.Write(&m); err != nil {
			continue
		}
		n := uint64(m.GetCounter().GetValue())
		t.calls += n
		if i >= 5 {
			t.errors += n
		}
	}
	t.coldStarts = s.coldStarts.Load()
	var m dto.Metric
	if histogram, ok := s.duration.(interface{ Write(*dto.Metric) error }); ok && histogram.Write(&m) == nil {
		for i, b := range m.GetHistogram().GetBucket() {
			if i < buckets {
				t.buckets[i] = b.GetCumulativeCount()
			}
		}
	}
	return t
}

// active returns the series of functions with calls since the previous call of active.
func (m *Metrics) active() map[string]*functionSeries {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := map[string]*functionSeries{}
	for id, s := range m.functions {
		if s.active.Swap(false) {
			all[id] = s
		}
	}
	return all
}

// A track is the history of one function.
type track struct {
	lastCall     time.Time
	fine, coarse ring
}

func newTrack() *track {
	return &track{
		fine:   ring{step: FineStep, points: make([]point, finePoints)},
		coarse: ring{step: CoarseStep, points: make([]point, coarseCount)},
	}
}

func (t *track) ring(r Range) *ring {
	if r == Day {
		return &t.coarse
	}
	return &t.fine
}

// add adds the calls between the last totals and the present ones.
func (t *track) add(now time.Time, last, present totals, g gauge) {
	t.fine.add(now, last, present, g)
	t.coarse.add(now, last, present, g)
}

// A point is one step of a ring.
type point struct {
	// index is the number of the step since 1970.
	index                     int64
	calls, errors, coldStarts uint32
	instances                 uint32
	p50, p99                  float32
	memoryKB                  uint32
}

// A ring has the latest points of one function.
type ring struct {
	step   time.Duration
	points []point
	// base are the totals at the beginning of the present step.
	base totals
}

func (r *ring) at(index int64) *point {
	p := &r.points[index%int64(len(r.points))]
	if p.index != index {
		return nil
	}
	return p
}

func (r *ring) add(now time.Time, last, present totals, g gauge) {
	index := now.UnixNano() / int64(r.step)
	p := &r.points[index%int64(len(r.points))]
	if p.index != index {
		*p = point{index: index}
		r.base = last
	}
	p.calls = uint32(present.calls - r.base.calls)
	p.errors = uint32(present.errors - r.base.errors)
	p.coldStarts = uint32(present.coldStarts - r.base.coldStarts)
	p.p50, p.p99 = quantile(.5, r.base, present), quantile(.99, r.base, present)
	p.instances = max(p.instances, uint32(g.instances))
	p.memoryKB = max(p.memoryKB, uint32(g.memory>>10))
}

// quantile estimates a quantile of the durations between two totals in seconds, by linear
// interpolation within a bucket, like histogram_quantile of Prometheus.
func quantile(q float64, from, to totals) float32 {
	count := float64(to.calls - from.calls)
	if count <= 0 {
		return 0
	}
	rank := q * count
	below, start := 0.0, 0.0
	for i, end := range callBuckets {
		n := float64(to.buckets[i] - from.buckets[i])
		if n >= rank {
			if n == below {
				return float32(end)
			}
			return float32(start + (end-start)*(rank-below)/(n-below))
		}
		below, start = n, end
	}
	return float32(callBuckets[len(callBuckets)-1])
}

// coldStart counts a cold start of the function with a serving revision.
func (m *Metrics) coldStart(revisionID string) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if s := m.functions[m.revisions[revisionID]]; s != nil {
		s.coldStarts.Add(1)
		s.active.Store(true)
	}
}
