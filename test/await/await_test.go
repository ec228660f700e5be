package await_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/test/await"
)

// failing is a test that notes that it has failed.
type failing struct{ failed bool }

func (*failing) Helper() {}

func (f *failing) Fatalf(string, ...any) {
	f.failed = true
	runtime.Goexit()
}

func TestWaits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		wait  func(await.T)
		takes time.Duration
		fails bool
	}{
		"a condition that holds":        {func(t await.T) { await.True(t, "", func() bool { return true }) }, 0, false},
		"one that never does":           {func(t await.T) { await.True(t, "", func() bool { return false }) }, await.Patience, true},
		"a value that nobody sends":     {func(t await.T) { await.Receive(t, "", make(chan int)) }, await.Patience, true},
		"a value that comes in a while": {func(t await.T) { await.Receive(t, "", time.After(time.Minute)) }, time.Minute, false},
		"one that holds in a while": {func(t await.T) {
			began := time.Now()
			await.True(t, "", func() bool { return time.Since(began) >= time.Minute })
		}, time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began, f, ended := time.Now(), &failing{}, make(chan struct{})
				go func() { defer close(ended); test.wait(f) }()
				<-ended
				if took := time.Since(began); took != test.takes || f.failed != test.fails {
					t.Errorf("it takes %v and fails: %v, want %v and %v", took, f.failed, test.takes, test.fails)
				}
			})
		})
	}
}
