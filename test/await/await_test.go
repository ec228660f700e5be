package await_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/test/await"
)

// failing is a test that records its failure.
type failing struct{ failed bool }

func (*failing) Helper() {}

func (f *failing) Fatalf(string, ...any) {
	f.failed = true
	runtime.Goexit()
}

func TestWaits_EndWithConditionOrAfterPatience(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		wait  func(await.T)
		takes time.Duration
		fails bool
	}{
		"a condition that is true":     {func(t await.T) { await.True(t, "", func() bool { return true }) }, 0, false},
		"a condition that stays false": {func(t await.T) { await.True(t, "", func() bool { return false }) }, await.Patience, true},
		"a value that is never sent":   {func(t await.T) { await.Receive(t, "", make(chan int)) }, await.Patience, true},
		"a value that is sent later":   {func(t await.T) { await.Receive(t, "", time.After(time.Minute)) }, time.Minute, false},
		"a condition that is true later": {func(t await.T) {
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
					t.Errorf("took %v, failed: %t, want %v, %t", took, f.failed, test.takes, test.fails)
				}
			})
		})
	}
}

func TestUntil_EndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := await.Until(ctx, "it rains", func() bool { return false })
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "until it rains") {
			t.Errorf("got error %v, want context.DeadlineExceeded and the condition", err)
		}
	})
}
