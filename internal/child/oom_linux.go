package child

import (
	"fmt"
	"os"
)

const (
	// childScore makes a child the first victim when memory runs out, and
	// ownScore this process the last one but for those that must not be killed.
	childScore = "1000"
	ownScore   = "-900"
)

// LowerOOMScore makes the kernel prefer every other process to this one when
// memory runs out. It needs CAP_SYS_RESOURCE. Call it before the first Start:
// the guard inherits the score, and children do not.
func LowerOOMScore() error {
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte(ownScore), 0); err != nil {
		return fmt.Errorf("lower OOM score: %w", err)
	}
	return nil
}

// raiseOOMScore makes a child a victim of choice. A parent may always do so for
// its own user's processes; with CAP_SYS_RESOURCE the child cannot undo it.
func raiseOOMScore(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(childScore), 0)
}
