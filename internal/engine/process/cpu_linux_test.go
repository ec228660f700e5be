package process_test

import (
	"crypto/rand"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fscommon"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/needs"
)

// TestTheCPUTierHolds has instances of small tiers start, which must cost them
// nothing of their share, and then burn as much as they can.
func TestTheCPUTierHolds(t *testing.T) {
	t.Parallel()
	needs.Root(t, "isolates at level full")
	for _, tier := range []int{70, 140} {
		t.Run(strconv.Itoa(tier), func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, process.Config{Dir: shortDir(t), ReadyTimeout: await.Patience, Isolation: sandbox.Full})
			mark := burnVariable + "=" + rand.Text()
			address := startBurner(t, e, tier, mark)
			if n := throttled(t, mark); n > 5 {
				t.Errorf("the instance was throttled %d times until it served, want that it starts as fast as it can", n)
			}
			used := askBurner(t, address)
			if used > burnTime/2 {
				t.Errorf("the instance has taken %v of CPU time in %v, want some %d thousandths of it", used, burnTime, tier)
			}
			// On a busy machine it would take little without a limit, too.
			if n := throttled(t, mark); n < 5 {
				t.Errorf("the instance was throttled %d times while it burnt the CPU", n)
			}
			t.Logf("%v of CPU time in %v", used, burnTime)
		})
	}
}

// TestTheStartBoostEnds starts an instance that never serves and burns the CPU, again
// and again. Once the boost of its function's minute is used up, it has its tier.
func TestTheStartBoostEnds(t *testing.T) {
	t.Parallel()
	now := time.Now()
	e := newEngine(t, process.Config{
		Dir: shortDir(t), ReadyTimeout: 6 * time.Second, Isolation: sandbox.Full, Now: func() time.Time { return now },
	})
	mark := burnVariable + "=" + rand.Text()
	r := engine.Revision{
		ID: "r", FunctionID: "f", Env: []string{mark, burnVariable + "_FOREVER=1"},
		MemoryLimit: 512, CPULimit: 70,
	}
	for range 2 {
		runToItsEnd(t, e, r)
	}
	// The clock does not advance, so it is the same minute.
	events := enginetest.Watch(t, e)
	enginetest.Scale(t, e, r, 1)
	enginetest.Next(t, events, engine.Starting)
	await.True(t, "the instance is kept from running", func() bool { return running(mark) && throttled(t, mark) >= 5 })
}

// running tells whether there is a process of a mark.
func running(mark string) bool {
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range environments {
		if text, _ := os.ReadFile(file); strings.Contains(string(text), mark) {
			return true
		}
	}
	return false
}

// startBurner returns the address of an instance that serves.
func startBurner(t *testing.T, e *process.Engine, tier int, mark string) engine.Address {
	t.Helper()
	r := engine.Revision{ID: "r", Env: []string{mark}, MemoryLimit: 512, CPULimit: tier}
	return enginetest.StartOne(t, e, enginetest.Watch(t, e), r).Address
}

// askBurner has the instance burn, and returns the CPU time that it took.
func askBurner(t *testing.T, address engine.Address) time.Duration {
	t.Helper()
	conn, err := net.Dial(address.Network(), address.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	used, err := strconv.ParseInt(string(answer), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(used)
}

// throttled is how often the kernel has kept the instance of a mark from running,
// by the limit of its cgroup.
func throttled(t *testing.T, mark string) uint64 {
	t.Helper()
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range environments {
		// A process may have ended since.
		if text, _ := os.ReadFile(file); !strings.Contains(string(text), mark) {
			continue
		}
		groups, err := cgroups.ParseCgroupFile(filepath.Join(filepath.Dir(file), "cgroup"))
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join("/sys/fs/cgroup", groups[""])
		if !cgroups.IsCgroup2UnifiedMode() {
			dir = filepath.Join("/sys/fs/cgroup/cpu", groups["cpu"])
		}
		n, err := fscommon.GetValueByKey(dir, "cpu.stat", "nr_throttled")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	t.Fatal("there is no process of the instance")
	return 0
}
