package gateway

import (
	"fmt"
	"time"
)

// timingHeader is the request header that asks for the Server-Timing header in the answer.
const timingHeader = "X-Jeton-Timing"

// timing returns the value of Server-Timing: how long the call waited for its instance, and
// whether the instance was started for it.
func (c *call) timing() string {
	if c.instance == nil {
		return "instance;desc=none"
	}
	kind := "warm"
	if c.cold {
		kind = "cold"
	}
	return fmt.Sprintf("instance;desc=%s;dur=%.3f", kind, float64(c.acquired.Sub(c.began))/float64(time.Millisecond))
}
