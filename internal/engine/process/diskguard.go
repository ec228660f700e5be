package process

import (
	"fmt"
	"sync"
	"time"
)

const (
	// diskPeriod is the time between two looks at the free space.
	diskPeriod = time.Second
	// smallestVictim is the disk usage in bytes below which ending an instance frees too
	// little.
	smallestVictim = 16 << 20
	// defaultReserve is the most that is reserved by default, in bytes, and
	// reservePercent is the share of the file system.
	defaultReserve = 10 << 30
	reservePercent = 5
)

// A diskGuard ends instances before their disks together fill the file system that the
// server, and all other functions, write to too.
type diskGuard struct {
	engine *Engine
	stop   chan struct{}
	// victim is the instance that was ended last; the space that it frees is awaited.
	victim *instance
	// failing is true while the reason why no space can be freed has been logged.
	failing bool
}

// guardDisk starts a guard, and returns the function that stops it and waits for its end.
func (e *Engine) guardDisk() (stop func()) {
	g := &diskGuard{engine: e, stop: make(chan struct{})}
	var running sync.WaitGroup
	running.Go(g.run)
	return func() {
		close(g.stop)
		running.Wait()
	}
}

func (g *diskGuard) run() {
	ticks := time.NewTicker(diskPeriod)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			g.check()
		case <-g.stop:
			return
		}
	}
}

// check ends at most one instance: of the project whose disks use most, the one that
// uses most.
func (g *diskGuard) check() {
	free, size, err := g.engine.host.DiskSpace()
	if err != nil {
		g.warn("disks of instances are not watched", "error", err)
		return
	}
	reserve := g.engine.config.DiskReserve
	if reserve == 0 {
		reserve = min(size/100*reservePercent, defaultReserve)
	}
	if free >= reserve {
		g.failing = false
		return
	}
	if !g.victimEnded() {
		return
	}
	in, used := g.engine.largestDisk()
	if used < smallestVictim {
		g.warn("disk space is short, and not because of the disks of instances", "free_bytes", free, "reserve_bytes", reserve)
		return
	}
	g.victim = in
	in.evict(fmt.Sprintf("the server's disk is nearly full, and this instance used %d MiB of it", used>>20))
}

func (g *diskGuard) victimEnded() bool {
	if g.victim == nil {
		return true
	}
	select {
	case <-g.victim.Ended():
		g.victim = nil
		return true
	default:
		return false
	}
}

// warn logs the first of the same failures.
func (g *diskGuard) warn(message string, details ...any) {
	if !g.failing {
		g.engine.logger.Warn(message, details...)
	}
	g.failing = true
}

// largestDisk returns the instance with the largest disk of the project with the
// largest disks, and the bytes that it uses. in is nil if no instance uses a disk.
func (e *Engine) largestDisk() (in *instance, used int64) {
	running := e.All()
	usage, projects := make([]int64, len(running)), map[string]int64{}
	for i, in := range running {
		if s := in.sandboxed.Load(); s != nil {
			usage[i] = s.DiskUsed()
		}
		projects[in.revision.source.ProjectID] += usage[i]
	}
	var most int64
	for i, candidate := range running {
		project := projects[candidate.revision.source.ProjectID]
		if project > most || project == most && usage[i] > used {
			in, used, most = candidate, usage[i], project
		}
	}
	return in, used
}
