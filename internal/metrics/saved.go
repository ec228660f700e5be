package metrics

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/google/renameio/v2"
)

// savedVersion is the version of the file of a History. Files of other versions are not
// read.
const savedVersion = 1

// maxSaved is the maximum size of the file that is read, in bytes. The file of the maximum
// number of functions has about 20 MB.
const maxSaved = 64 << 20

type savedHistory struct {
	Version int
	Tracks  []savedTrack
}

type savedTrack struct {
	ID           string
	LastCall     time.Time
	Fine, Coarse savedRing
}

// savedRing is a ring. Counted are the totals of its present step.
type savedRing struct {
	Points  []savedPoint
	Counted savedTotals
}

type savedPoint struct {
	Index                                int64
	Calls, Errors, ColdStarts, Instances uint32
	P50, P99                             float32
	MemoryKB                             uint32
}

type savedTotals struct {
	Calls, Errors, ColdStarts uint64
	Buckets                   [buckets]uint64
}

// save writes the history to its file.
func (h *History) save() error {
	file, err := renameio.NewPendingFile(h.config.File, renameio.WithPermissions(0o600))
	if err != nil {
		return err
	}
	defer func() { _ = file.Cleanup() }()
	buffered := bufio.NewWriter(file)
	if err := gob.NewEncoder(buffered).Encode(h.saved()); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return file.CloseAtomicallyReplace()
}

func (h *History) saved() savedHistory {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := savedHistory{Version: savedVersion}
	now := h.config.Now()
	for id, t := range h.tracks {
		var present totals
		if s := h.config.Metrics.series(id); s != nil {
			present = s.sampled
		}
		all.Tracks = append(all.Tracks, savedTrack{ID: id, LastCall: t.lastCall, Fine: t.fine.saved(now, present), Coarse: t.coarse.saved(now, present)})
	}
	return all
}

func (r *ring) saved(now time.Time, present totals) savedRing {
	first := now.UnixNano()/int64(r.step) - int64(len(r.points)) + 1
	counted := present.minus(r.base)
	saved := savedRing{Counted: savedTotals{counted.calls, counted.errors, counted.coldStarts, counted.buckets}}
	for _, p := range r.points {
		if p.index >= first {
			saved.Points = append(saved.Points, savedPoint{p.index, p.calls, p.errors, p.coldStarts, p.instances, p.p50, p.p99, p.memoryKB})
		}
	}
	return saved
}

// restore adds a saved ring to an empty one. The totals of the new process begin with 0:
// the base is less than 0 by what the saved step has counted.
func (r *ring) restore(saved savedRing) {
	for _, p := range saved.Points {
		if p.Index > 0 {
			r.points[p.Index%int64(len(r.points))] = point{p.Index, p.Calls, p.Errors, p.ColdStarts, p.Instances, p.P50, p.P99, p.MemoryKB}
		}
	}
	r.base = totals{}.minus(totals{saved.Counted.Calls, saved.Counted.Errors, saved.Counted.ColdStarts, saved.Counted.Buckets})
}

// minus returns the difference of all fields. It may be less than 0: unsigned numbers wrap,
// and a later difference is right again.
func (t totals) minus(other totals) totals {
	t.calls -= other.calls
	t.errors -= other.errors
	t.coldStarts -= other.coldStarts
	for i := range t.buckets {
		t.buckets[i] -= other.buckets[i]
	}
	return t
}

// load reads the file of an earlier process. A file that does not exist leaves the history
// empty, as does an error.
func (h *History) load() error {
	file, err := os.Open(h.config.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	var all savedHistory
	if err := gob.NewDecoder(bufio.NewReader(io.LimitReader(file, maxSaved))).Decode(&all); err != nil {
		return fmt.Errorf("read %s: %w", h.config.File, err)
	}
	if all.Version != savedVersion {
		return fmt.Errorf("read %s: it has the version %d, want %d", h.config.File, all.Version, savedVersion)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, saved := range all.Tracks {
		t := newTrack()
		t.lastCall = saved.LastCall
		t.fine.restore(saved.Fine)
		t.coarse.restore(saved.Coarse)
		h.tracks[saved.ID] = t
	}
	h.evict()
	return nil
}
