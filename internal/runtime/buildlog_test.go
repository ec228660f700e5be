package runtime_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

func TestBuildLog_KeepsStartAndEnd(t *testing.T) {
	t.Parallel()
	var log runtime.BuildLog
	fmt.Fprint(&log, "short\xff\n")
	if got := log.String(); got != "short\uFFFD\n" {
		t.Errorf("got log %q, want invalid bytes replaced", got)
	}
	for range 1 << 16 {
		fmt.Fprintln(&log, strings.Repeat("x", 99))
	}
	fmt.Fprintln(&log, "the end")
	got := log.String()
	if len(got) > 2<<20 || !strings.HasPrefix(got, "short") || !strings.HasSuffix(got, "the end\n") || !strings.Contains(got, "bytes omitted]") {
		t.Errorf("got log of %d bytes from %.10q to %q, want the start and the end", len(got), got, got[len(got)-10:])
	}
}
