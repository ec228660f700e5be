package output

import "time"

// The streams of an instance. System has the messages of the server: why an instance ended, and
// why a call failed.
const (
	Stdout = "stdout"
	Stderr = "stderr"
	System = "system"
)

// An Entry is one line of an instance's output. The values of secret variables have been
// removed from Text.
type Entry struct {
	// At is the time when the line was read.
	At       time.Time `json:"at"`
	Function string    `json:"function_id"`
	Revision string    `json:"revision_id"`
	Instance string    `json:"instance_id"`
	// RequestID is the ID of the current or previous call of the instance; empty before its
	// first call. A line that is printed at the very end of a call may have the ID of the
	// next call.
	RequestID string `json:"request_id,omitempty"`
	// Stream is Stdout, Stderr or System.
	Stream string `json:"stream"`
	Text   string `json:"text"`
}

// A Function identifies the function of a directory of logs.
type Function struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}
