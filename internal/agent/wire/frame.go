package wire

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"
)

// A Kind says what a frame is.
type Kind byte

// The frames that a node sends. The agent passes all but Ping to the launcher.
const (
	// Order has an encoded Task. It is sent once.
	Order Kind = 'O'
	// Terminate and Kill end the program of the order: with SIGTERM, and immediately.
	Terminate Kind = 'T'
	Kill      Kind = 'K'
	// Ping shows that the node exists.
	Ping Kind = 'P'
	// Continue answers Fetching and Fetched.
	Continue Kind = 'C'
	// Measure asks a launcher whose function is ready for a Usage.
	Measure Kind = 'M'
)

// The frames that both sides send, in this order: an archive in parts, and its digest.
const (
	// Part is a part of an archive of package parcel.
	Part Kind = 'D'
	// Digest is the SHA-256 digest of all parts.
	Digest Kind = 'E'
)

// The frames that an agent sends. All but Hello, Leaving and Lost are from the launcher.
const (
	// Hello has an encoded Greeting. It is the first frame.
	Hello Kind = 'H'
	// Prepared means that the launcher waits for an order, with the interpreter started.
	Prepared Kind = 'W'
	// Ready means that the function accepts connections.
	Ready Kind = 'R'
	// Stdout and Stderr have bytes that the program has printed.
	Stdout Kind = '1'
	Stderr Kind = '2'
	// Fetching and Fetched are sent by a build before and after a step that waits for the network.
	// The launcher waits for Continue after each, so that the node decides how many builds download
	// and how many compute.
	Fetching Kind = 'F'
	Fetched  Kind = 'G'
	// Usage answers Measure with the memory in use by the container, as SendUsage encodes it.
	Usage Kind = 'U'
	// Exited has an encoded Exit. It is the last frame of the launcher.
	Exited Kind = 'X'
	// Leaving means that Kubernetes ends the Pod when its grace period has passed.
	Leaving Kind = 'V'
	// Lost means that the launcher has ended.
	Lost Kind = 'L'
)

const (
	headerSize = 5
	// PartSize is the maximum size of a Part, and of bytes that were printed.
	PartSize = 64 << 10
	// maxOrder is the maximum size of an Order, which has all variables of a function.
	maxOrder = 8 << 20
	// maxText is the maximum size of the other frames with a content.
	maxText = 256 << 10
	// DigestSize is the size of a Digest.
	DigestSize = 32
	// usageSize is the size of a Usage.
	usageSize = 8
)

// limit returns the maximum size of the payload of a kind, and whether it exists.
func (k Kind) limit() (size uint32, ok bool) {
	switch k {
	case Order:
		return maxOrder, true
	case Part, Stdout, Stderr:
		return PartSize, true
	case Digest:
		return DigestSize, true
	case Usage:
		return usageSize, true
	case Hello, Exited:
		return maxText, true
	case Terminate, Kill, Ping, Continue, Measure, Prepared, Ready, Fetching, Fetched, Leaving, Lost:
		return 0, true
	}
	return 0, false
}

// FromNode reports whether the launcher accepts a frame from a node.
func (k Kind) FromNode() bool {
	return k == Order || k == Terminate || k == Kill || k == Continue || k == Measure || k == Part || k == Digest
}

// FromLauncher reports whether a node accepts a frame from a launcher.
func (k Kind) FromLauncher() bool {
	switch k {
	case Prepared, Ready, Fetching, Fetched, Stdout, Stderr, Usage, Exited, Part, Digest:
		return true
	}
	return false
}

// A Conn sends and receives frames. Send is safe for concurrent use; Receive is not.
type Conn struct {
	net.Conn
	reader  *bufio.Reader
	payload []byte

	mu     sync.Mutex
	buffer []byte
}

// NewConn returns a Conn that uses a connection.
func NewConn(c net.Conn) *Conn { return &Conn{Conn: c, reader: bufio.NewReaderSize(c, PartSize)} }

// Send sends a frame.
func (c *Conn) Send(k Kind, payload []byte) error {
	if size, ok := k.limit(); !ok || uint64(len(payload)) > uint64(size) {
		return fmt.Errorf("send frame %q: %d bytes are more than %d", byte(k), len(payload), size)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buffer = append(c.buffer[:0], byte(k))
	c.buffer = binary.BigEndian.AppendUint32(c.buffer, uint32(len(payload)))
	c.buffer = append(c.buffer, payload...)
	_, err := c.Write(c.buffer)
	if cap(c.buffer) > 2*PartSize {
		c.buffer = nil
	}
	return err
}

// SendJSON sends a frame with an encoded value.
func (c *Conn) SendJSON(k Kind, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode frame: %w", err)
	}
	return c.Send(k, text)
}

// Receive returns the next frame. The payload is valid until the next Receive. Returns io.EOF
// at the end of the connection, and an error for an unknown kind or a payload above its limit.
func (c *Conn) Receive() (Kind, []byte, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(c.reader, header[:]); err != nil {
		return 0, nil, err
	}
	kind, size := Kind(header[0]), binary.BigEndian.Uint32(header[1:])
	limit, ok := kind.limit()
	switch {
	case !ok:
		return 0, nil, fmt.Errorf("receive frame: unknown kind %q", header[0])
	case size > limit:
		return 0, nil, fmt.Errorf("receive frame %q: %d bytes are more than %d", header[0], size, limit)
	case kind == Digest && size != DigestSize:
		return 0, nil, fmt.Errorf("receive frame %q: %d bytes are no digest", header[0], size)
	}
	if uint32(cap(c.payload)) < size {
		c.payload = make([]byte, size)
	}
	c.payload = c.payload[:size]
	if _, err := io.ReadFull(c.reader, c.payload); err != nil {
		return 0, nil, fmt.Errorf("receive frame %q: %w", header[0], err)
	}
	return kind, c.payload, nil
}
