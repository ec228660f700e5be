package metrics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// The steps of the history, and the number of points that are kept: an hour and a day.
const (
	sampleTime = 5 * time.Second
	// samplesPerSave is the number of samples between two writes of the file.
	samplesPerSave = 60
	FineStep       = 15 * time.Second
	CoarseStep     = 10 * time.Minute
	finePoints     = int64(time.Hour / FineStep)
	coarseCount    = int64(24 * time.Hour / CoarseStep)
	// maxTracked is the number of functions whose history is kept, about 10 kB each.
	maxTracked = 2000
)

// HistoryConfig has the dependencies of a History. Metrics, Instances and Now are required.
type HistoryConfig struct {
	Metrics *Metrics
	// Instances returns the number of instances of each revision.
	Instances func() map[string]int
	// Memory returns the memory in use by the instances of each revision, in bytes.
	Memory func() map[string]int64
	Now    func() time.Time
	// Sampled is called after each sample.
	Sampled func()
	// File keeps the history over restarts; empty for memory only. Failed is called with
	// the errors of reading and writing it; nil ignores them.
	File   string
	Failed func(error)
}

// A History keeps the calls of the last hour and day for each function, in memory and in a
// file. The functions with the latest calls are kept. It reads the series of Metrics every
// few seconds, so that it costs nothing during a call. It is safe for concurrent use.
type History struct {
	config HistoryConfig

	mu     sync.Mutex
	tracks map[string]*track
}

// NewHistory returns a History with what the file contains. Returns an error if a required
// field is missing; a file that cannot be read is reported to Failed, and replaced.
func NewHistory(c HistoryConfig) (*History, error) {
	if c.Metrics == nil || c.Instances == nil || c.Now == nil {
		return nil, errors.New("configure history of metrics: Metrics, Instances and Now are required")
	}
	if c.Memory == nil {
		c.Memory = func() map[string]int64 { return nil }
	}
	if c.Sampled == nil {
		c.Sampled = func() {}
	}
	if c.Failed == nil {
		c.Failed = func(error) {}
	}
	h := &History{config: c, tracks: map[string]*track{}}
	if c.File != "" {
		if err := h.load(); err != nil {
			c.Failed(err)
		}
	}
	return h, nil
}

// Run takes samples until ctx ends, and writes the file every five minutes and at the end.
// It returns nil.
func (h *History) Run(ctx context.Context) error {
	tick := time.NewTicker(sampleTime)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-tick.C:
			h.Sample()
			if n%samplesPerSave == 0 {
				h.write()
			}
		case <-ctx.Done():
			h.Sample()
			h.write()
			return nil
		}
	}
}

func (h *History) write() {
	if h.config.File == "" {
		return
	}
	if err := h.save(); err != nil {
		h.config.Failed(fmt.Errorf("write the history of metrics: %w", err))
	}
}

// Sample adds the calls since the previous sample to the history.
func (h *History) Sample() {
	now := h.config.Now()
	gauges := h.gauges()
	active := h.config.Metrics.active()
	h.mu.Lock()
	for id := range h.tracks {
		if h.config.Metrics.series(id) == nil {
			delete(h.tracks, id)
		}
	}
	for id, s := range active {
		t := h.track(id)
		before := s.sampled
		s.sampled = s.totals()
		t.add(now, before, s.sampled, gauges[id])
		t.lastCall = now
		delete(gauges, id)
	}
	for id, g := range gauges {
		if s := h.config.Metrics.series(id); s != nil {
			h.track(id).add(now, s.sampled, s.sampled, g)
		}
	}
	h.evict()
	h.mu.Unlock()
	h.config.Sampled()
}

// gauge is the present state of a function.
type gauge struct {
	instances int
	memory    int64
}

// gauges returns the gauges of the functions that have instances.
func (h *History) gauges() map[string]gauge {
	owners, memory := h.config.Metrics.owners(), h.config.Memory()
	all := map[string]gauge{}
	for revision, n := range h.config.Instances() {
		if id := owners[revision]; id != "" && n > 0 {
			all[id] = gauge{n, memory[revision]}
		}
	}
	return all
}

func (h *History) track(id string) *track {
	t := h.tracks[id]
	if t == nil {
		t = newTrack()
		h.tracks[id] = t
	}
	return t
}

// evict removes the functions whose last call is the longest ago. The caller holds h.mu.
func (h *History) evict() {
	excess := len(h.tracks) - maxTracked
	if excess <= 0 {
		return
	}
	ids := make([]string, 0, len(h.tracks))
	for id := range h.tracks {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return h.tracks[a].lastCall.Compare(h.tracks[b].lastCall) })
	for _, id := range ids[:excess] {
		delete(h.tracks, id)
	}
}

// A Range is a period of the history.
type Range int

// The last hour in steps of FineStep, and the last day in steps of CoarseStep.
const (
	Hour Range = iota
	Day
)

// A Series is a period of the history. The i-th values of all slices belong to the time
// Start + i*Step.
type Series struct {
	Start time.Time
	Step  time.Duration
	// Calls, Errors and ColdStarts are the numbers in the step. Errors are calls with a
	// status of 500 or more.
	Calls, Errors, ColdStarts []int64
	// P50 and P99 are durations of calls in seconds, estimated from a histogram; 0 for
	// a step without calls, and for several functions.
	P50, P99 []float64
	// Instances is the number of instances, and Memory their memory in bytes, at the end
	// of the step.
	Instances, Memory []int64
}

// Of returns the series of one function.
func (h *History) Of(functionID string, r Range) Series {
	return h.sum(r, func(id string) bool { return id == functionID }, true)
}

// Sum returns the sum of the series of the functions that covers returns true for.
func (h *History) Sum(r Range, covers func(functionID string) bool) Series {
	return h.sum(r, covers, false)
}

func (h *History) sum(r Range, covers func(string) bool, durations bool) Series {
	step, count := FineStep, finePoints
	if r == Day {
		step, count = CoarseStep, coarseCount
	}
	last := h.config.Now().UnixNano() / int64(step)
	first := last - count + 1
	s := Series{
		Start: time.Unix(0, first*int64(step)).UTC(), Step: step,
		Calls: make([]int64, count), Errors: make([]int64, count), ColdStarts: make([]int64, count),
		P50: make([]float64, count), P99: make([]float64, count), Instances: make([]int64, count), Memory: make([]int64, count),
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, t := range h.tracks {
		if !covers(id) {
			continue
		}
		for i := range count {
			if p := t.ring(r).at(first + i); p != nil {
				s.addPoint(int(i), p, durations)
			}
		}
	}
	return s
}

func (s *Series) addPoint(i int, p *point, durations bool) {
	s.Calls[i] += int64(p.calls)
	s.Errors[i] += int64(p.errors)
	s.ColdStarts[i] += int64(p.coldStarts)
	s.Instances[i] += int64(p.instances)
	s.Memory[i] += int64(p.memoryKB) << 10
	if durations {
		s.P50[i], s.P99[i] = float64(p.p50), float64(p.p99)
	}
}

// Activity is the sum of the last hour of one function.
type Activity struct {
	Calls, Errors, ColdStarts int64
	// Instances is the present number.
	Instances int64
}

// Activity returns the activity of functions. A function without calls or instances is
// missing.
func (h *History) Activity(ids []string) map[string]Activity {
	all := make(map[string]Activity, len(ids))
	for _, id := range ids {
		s := h.activity(id)
		if s != (Activity{}) {
			all[id] = s
		}
	}
	return all
}

func (h *History) activity(id string) (a Activity) {
	last := h.config.Now().UnixNano() / int64(FineStep)
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tracks[id]
	if t == nil {
		return a
	}
	for i := last - finePoints + 1; i <= last; i++ {
		if p := t.fine.at(i); p != nil {
			a.Calls += int64(p.calls)
			a.Errors += int64(p.errors)
			a.ColdStarts += int64(p.coldStarts)
		}
	}
	// The present step may have no sample yet.
	for _, i := range []int64{last, last - 1} {
		if p := t.fine.at(i); p != nil {
			a.Instances = int64(p.instances)
			break
		}
	}
	return a
}
