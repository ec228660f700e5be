package sandbox

import (
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/sandbox/stage"
)

// patience is how long the server waits for a stage.
const patience = 10 * time.Second

// send writes a message with file descriptors beside it.
func send(socket *net.UnixConn, body []byte, files []int) error {
	if len(body) > stage.LargestMessage {
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
