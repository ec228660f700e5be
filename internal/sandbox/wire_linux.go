package sandbox

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// What the server and the stage say to each other over the control socket: a
// length, so many bytes, and file descriptors beside them: first a blueprint, then
// an order. The stage answers with a byte.

// largestMessage is above all that a program's arguments and environment may be:
// 200 secret variables of 64 KiB each.
const largestMessage = 32 << 20

// patience is how long either side waits for the other.
const patience = 10 * time.Second

// mostFiles bounds the file descriptors beside one message.
const mostFiles = 64

// A blueprint is a Layout, for the stage, as JSON.
type blueprint struct {
	Level    Level   `json:"level"`
	Mounts   []mount `json:"mounts"`
	Hostname string  `json:"hostname"`
	// Writable are those of the layout.
	Writable []string `json:"writable,omitempty"`
	// Owner has the program be who readable and writable folders belong to.
	Owner     bool   `json:"owner,omitempty"`
	Resolver  string `json:"resolver,omitempty"`
	Temporary int64  `json:"temporary"`
	// Without is a layer to leave out, for a probe that must notice.
	Without   string `json:"without,omitempty"`
	Processes int    `json:"processes"`
	// Filter is the assembled first list of system calls, where there are two.
	Filter []byte `json:"filter,omitempty"`
}

// A mount is one folder or file that is visible inside.
type mount struct {
	// Source is the path outside, for a stage that opens it by itself, and
	// Target the one inside.
	Source string `json:"source"`
	Target string `json:"target"`
	// Link is what the path leads to, if it is a symbolic link.
	Link string `json:"link,omitempty"`
	// Folder tells a folder from a file.
	Folder bool `json:"folder"`
	// Owned is true for what the program may treat as its own, Writable for what
	// may be changed, and Device for what may be written
	// to, as the devices of /dev.
	Owned    bool `json:"owned,omitempty"`
	Writable bool `json:"writable,omitempty"`
	Device   bool `json:"device,omitempty"`
}

// built is what the stage answers when the walls stand.
const built = 'b'

// send writes a message with file descriptors beside it.
func send(socket *net.UnixConn, body []byte, files []int) error {
	if len(body) > largestMessage {
		return fmt.Errorf("message of %d bytes is too long", len(body))
	}
	if err := socket.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	message := append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
	var rights []byte
	if len(files) > 0 {
		rights = unix.UnixRights(files...)
	}
	// In one piece, if there is room: the stage would wake up for the first of two.
	n, _, err := socket.WriteMsgUnix(message, rights, nil)
	if err == nil && n < len(message) {
		_, err = socket.Write(message[n:])
	}
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

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
	if length > largestMessage {
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
