package launcher

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// The server sends messages to the launcher over the control socket: first a Config,
// then an Order. A message is a length (4 bytes, little endian), as many bytes, and
// file descriptors. The launcher answers the Config with the byte Ready.

// MaxMessage is the maximum size of a message, in bytes. It exceeds the arguments and
// environment that a program can have, 200 secret variables of 64 KiB each.
const MaxMessage = 32 << 20

// maxFiles bounds the file descriptors of a message.
const maxFiles = 64

// receive reads one message and its file descriptors, and nothing after it.
func receive(socket *os.File) (body []byte, files []int, err error) {
	head, rights := make([]byte, 4), make([]byte, unix.CmsgSpace(4*maxFiles))
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
	if length > MaxMessage {
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
