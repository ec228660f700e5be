package stage

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// What the server says to the stage over the control socket: a length, so many
// bytes, and file descriptors beside them. First a blueprint, then an order. The
// stage answers with a byte.

// LargestMessage is the most bytes of one: above all that a program's arguments and
// environment may be, 200 secret variables of 64 KiB each.
const LargestMessage = 32 << 20

// mostFiles bounds the file descriptors beside one message.
const mostFiles = 64

// A Blueprint is what walls there are to be, as JSON.
type Blueprint struct {
	// Namespaces is true for a stage in namespaces of its own, which gets a root
	// folder, and all of its restrictions before it is known what it becomes.
	Namespaces bool `json:"namespaces"`
	// Doors is how many of the file descriptors beside it, the first ones, are
	// those by which the stage joins its cgroup. The others are of the mounts.
	Doors    int     `json:"doors,omitempty"`
	Mounts   []Mount `json:"mounts"`
	Hostname string  `json:"hostname"`
	// Home is a folder that there is, empty, for a mount that comes later.
	Home string `json:"home"`
	// Writable are folders that the program may change.
	Writable []string `json:"writable,omitempty"`
	// Nobody has the program be another user than the stage.
	Nobody bool `json:"nobody,omitempty"`
	// Resolver is the DNS server; empty for none.
	Resolver string `json:"resolver,omitempty"`
	// Disk makes the first of the mounts the sandbox's own disk, with /tmp on it.
	Disk bool `json:"disk,omitempty"`
	// Temporary is the size of /tmp in memory, or of /dev/shm where there is a disk,
	// in bytes.
	Temporary int64 `json:"temporary"`
	// Processes is how many processes and threads the stage's user may have.
	Processes int `json:"processes"`
	// Filter is the first list of system calls, for the kernel, where there are
	// namespaces.
	Filter []byte `json:"filter,omitempty"`
	// Omit are the steps to leave out, for a probe that must notice.
	Omit []Step `json:"omit,omitempty"`
}

// A Step is one that a blueprint may omit.
type Step string

// The steps.
const (
	Loopback     Step = "raise the loopback interface"
	Processes    Step = "show its own processes only"
	Capabilities Step = "drop capabilities"
	Identity     Step = "become nobody"
	Landlock     Step = "apply Landlock"
	Filter       Step = "apply seccomp"
	SecondFilter Step = "apply seccomp for the program"
)

func (b Blueprint) omits(s Step) bool { return slices.Contains(b.Omit, s) }

// Built is what the stage answers when the walls stand.
const Built = 'b'

// receive reads one message, and the file descriptors beside it. It reads no
// byte of what follows.
func receive(socket *os.File) (body []byte, files []int, err error) {
	head, rights := make([]byte, 4), make([]byte, unix.CmsgSpace(4*mostFiles))
	connection, err := socket.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	var n, m int
	waiting := connection.Read(func(fd uintptr) bool {
		n, m, _, _, err = unix.Recvmsg(int(fd), head, rights, unix.MSG_CMSG_CLOEXEC)
		return !errors.Is(err, unix.EAGAIN)
	})
	switch err = cmp.Or(waiting, err); {
	case err != nil:
		return nil, nil, fmt.Errorf("receive: %w", err)
	case n < len(head):
		return nil, nil, io.EOF
	}
	if files, err = parseRights(rights[:m]); err != nil {
		return nil, nil, err
	}
	length := binary.LittleEndian.Uint32(head)
	if length > LargestMessage {
		return nil, files, errors.New("receive: message is too long")
	}
	body = make([]byte, length)
	if _, err := io.ReadFull(socket, body); err != nil {
		return nil, files, fmt.Errorf("receive: %w", err)
	}
	return body, files, nil
}

func parseRights(control []byte) (files []int, err error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return nil, err
	}
	for _, message := range messages {
		more, err := unix.ParseUnixRights(&message)
		if err != nil {
			return files, err
		}
		files = append(files, more...)
	}
	return files, nil
}
