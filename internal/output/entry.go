package output

import "time"

// The streams of an instance.
const (
	Stdout = "stdout"
	Stderr = "stderr"
)

// An Entry is one line that an instance has printed, without its secrets.
type Entry struct {
	At       time.Time `json:"at"`
	Function string    `json:"function_id"`
	Revision string    `json:"revision_id"`
	Instance string    `json:"instance_id"`
	// RequestID is that of the call which the instance served then, or had served
	// last. An instance serves one at a time; but what it prints at the very end of
	// a call may be read when the next has begun.
	RequestID string `json:"request_id,omitempty"`
	// Stream is Stdout or Stderr.
	Stream string `json:"stream"`
	Text   string `json:"text"`
}

// A Function is whose logs they are.
type Function struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}
