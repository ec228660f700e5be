package output_test

import (
	"fmt"
	"testing"

	"github.com/jeton-dev/jeton/test/await"
)

func TestAppend_DoesNotWaitForOtherFunctions(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir(), 1<<20)
	others := make(chan error, 1)
	err := l.WhileLocked("slow", func() {
		go func() {
			for n := range 200 { // More functions than can be open at once.
				if err := l.Append(line(fmt.Sprint("f", n), n)); err != nil {
					others <- err
					return
				}
			}
			others <- nil
		}()
		if err := await.Receive(t, "the lines of other functions", others); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Error(err)
	}
}
