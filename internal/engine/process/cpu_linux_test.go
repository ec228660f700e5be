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

// TestCPULimit_HoldsAfterTheStart starts instances with low CPU limits, which do not
// apply to the start, and then makes them use the CPU as much as they can.
func TestCPULimit_HoldsAfterTheStart(t *testing.T) {
	t.Parallel()
	needs.Root(t, "isolates at level full")
	for _, tier := range []int{70, 140} {
		t.Run(strconv.Itoa(tier), func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, process.Config{Dir: shortDir(t), ReadyTimeout: await.Patience, Isolation: sandbox.Full})
			mark := burnVariable + "=" + rand.Text()
			address := startBurner(t, e, tier, mark)
			if n := throttled(t, mark); n > 5 {
				t.Errorf("the instance was throttled %d times until it served, want at most 5", n)
			}
			used := askBurner(t, address)
			if used > burnTime/2 {
				t.Errorf("the instance used %v of CPU time in %v, want about %d thousandths of it", used, burnTime, tier)
			}
			// On a busy machine it would use little CPU time without a limit, too.
			if n := throttled(t, mark); n < 5 {
				t.Errorf("the instance was throttled %d times while it used the CPU, want at least 5", n)
			}
			t.Logf("%v of CPU time in %v", used, burnTime)
		})
	}
}

// TestCPULimit_HoldsAfterTheBoostIsUsedUp starts instances that use the CPU and never
// serve, until the boost of their function is used up.
func TestCPULimit_HoldsAfterTheBoostIsUsedUp(t *testing.T) {
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
	await.True(t, "the instance is throttled", func() bool { return running(mark) && throttled(t, mark) >= 5 })
}

// running reports whether a process has the mark in its environment.
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

// askBurner makes the instance use the CPU, and returns the CPU time that it used.
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

// throttled returns how often the kernel has throttled the cgroup of the process with
// the mark.
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
	t.Fatal("the instance has no process")
	return 0
}
