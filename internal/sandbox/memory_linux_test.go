package sandbox_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/test/memorylimit"
)

// memoryVariable makes the test program print its available memory.
const memoryVariable = "SANDBOX_TEST_MEMORY"

func init() {
	if os.Getenv(memoryVariable) == "" {
		return
	}
	if err := memorylimit.Await(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(sandbox.AvailableMemory())
	os.Exit(0)
}

func TestAvailableMemory_IsTheLimitOfTheCgroup(t *testing.T) {
	t.Parallel()
	const limit = 256 << 20
	out, err := memorylimit.Run(t, limit, memoryVariable+"=1")
	if want := fmt.Sprintln(limit); err != nil || out != want {
		t.Errorf("got %q (%v) in a cgroup, want %q", out, err, want)
	}
	if own := sandbox.AvailableMemory(); own <= limit {
		t.Errorf("got %d bytes outside of it, want more than %d", own, limit)
	}
}
