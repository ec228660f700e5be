package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// The protocols of connections to an agent, as names of ALPN.
const (
	// Control is the protocol of the connection with frames. An agent accepts one.
	Control = "jeton-agent/1"
	// Call is the protocol of connections to the function: bytes in both directions.
	Call = "jeton-call/1"
)

// Port is the TCP port of agents.
const Port = 9443

// A Greeting is the content of Hello.
type Greeting struct {
	// Token is the projected token of the Pod.
	Token string `json:"token"`
}

// A Task is the content of Order: to serve a function, or to build one. An archive follows: the
// artifact, or the source.
type Task struct {
	// Build makes the launcher build; otherwise it serves.
	Build bool `json:"build,omitempty"`
	// Runtime and Handler are those of the revision.
	Runtime string `json:"runtime"`
	Handler string `json:"handler"`
	// Launch is that of the revision; only to serve.
	Launch []byte `json:"launch,omitempty"`
	// Env has the variables of the revision or, to build, those that say where downloads come from.
	Env []string `json:"env,omitempty"`
	// Cache means that the cache of the project follows the source, and the changes of the cache
	// follow the result; only to build.
	Cache bool `json:"cache,omitempty"`
	// Crates replaces crates.io; only to build.
	Crates string `json:"crates,omitempty"`
	// Unpacked means that the agent has unpacked the artifact: no archive follows. Only agents set it.
	Unpacked bool `json:"unpacked,omitempty"`
}

// An Exit is the content of Exited: how the program of a task ended.
type Exit struct {
	// Status describes the end, such as "exit status 3".
	Status string `json:"status"`
	// Failure is why the program could not be started, or why a build failed although the code
	// is correct; empty otherwise.
	Failure string `json:"failure,omitempty"`
	// BuildError is what the author of the code must correct; empty otherwise.
	BuildError string `json:"build_error,omitempty"`
	// Launch is the launch of a successful build, as JSON. Its archive was sent before.
	Launch []byte `json:"launch,omitempty"`
	// OutOfMemory means that the kernel ended a process because of the container's memory limit.
	OutOfMemory bool `json:"out_of_memory,omitempty"`
}

// DecodeTask returns the content of Order.
func DecodeTask(payload []byte) (Task, error) {
	var t Task
	if err := json.Unmarshal(payload, &t); err != nil {
		return Task{}, fmt.Errorf("decode order: %w", err)
	}
	if t.Runtime == "" {
		return Task{}, errors.New("decode order: it has no runtime")
	}
	return t, nil
}

// DecodeGreeting returns the content of Hello.
func DecodeGreeting(payload []byte) (Greeting, error) {
	var g Greeting
	if err := json.Unmarshal(payload, &g); err != nil {
		return Greeting{}, errors.New("decode greeting: it is no JSON object") // The cause may contain the token.
	}
	return g, nil
}

// DecodeExit returns the content of Exited.
func DecodeExit(payload []byte) (Exit, error) {
	var e Exit
	if err := json.Unmarshal(payload, &e); err != nil {
		return Exit{}, fmt.Errorf("decode exit: %w", err)
	}
	return e, nil
}

// SendUsage sends the memory in use, in bytes.
func (c *Conn) SendUsage(memory int64) error {
	return c.Send(Usage, binary.BigEndian.AppendUint64(nil, uint64(memory)))
}

// DecodeUsage returns the content of Usage: the memory in use in bytes, at most limit. Returns an error
// for a negative value.
func DecodeUsage(payload []byte, limit int64) (memory int64, err error) {
	if len(payload) != usageSize {
		return 0, fmt.Errorf("decode usage: it has %d bytes, want %d", len(payload), usageSize)
	}
	memory = int64(binary.BigEndian.Uint64(payload))
	if memory < 0 {
		return 0, fmt.Errorf("decode usage: it is negative: %d", memory)
	}
	return min(memory, limit), nil
}
