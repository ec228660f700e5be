package child

import (
	"fmt"
	"os"
)

const (
	// childScore makes the kernel kill a child first when memory runs out, and ownScore
	// makes it kill this process last, except for processes that it must not kill.
	childScore = "1000"
	ownScore   = "-900"
)

// LowerOOMScore makes the kernel kill other processes before this one when memory runs
// out. It needs CAP_SYS_RESOURCE. Call it before the first Start: the guard process
// inherits the score, and children do not.
func LowerOOMScore() error {
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte(ownScore), 0); err != nil {
		return fmt.Errorf("lower OOM score: %w", err)
	}
	return nil
}

// raiseOOMScore sets childScore. A process may always raise the score of its own user's
// processes. If this process has CAP_SYS_RESOURCE, the child cannot lower it again.
func raiseOOMScore(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(childScore), 0)
}
