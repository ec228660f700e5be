package sandbox

import (
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/sandbox/launcher"
)

// launcherTimeout is how long the server waits for a launcher to read or answer.
const launcherTimeout = 10 * time.Second

// send writes a message and file descriptors, in the format of package launcher.
func send(socket *net.UnixConn, body []byte, files []int) error {
	if len(body) > launcher.MaxMessage {
		return fmt.Errorf("send: message of %d bytes is too long: want %d at most", len(body), launcher.MaxMessage)
	}
	if err := socket.SetWriteDeadline(time.Now().Add(launcherTimeout)); err != nil {
		return err
	}
	message := append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
	var rights []byte
	if len(files) > 0 {
		rights = unix.UnixRights(files...)
	}
	// One write sends length and body if the socket buffer has space: with two writes the
	// launcher would wake up twice.
	n, _, err := socket.WriteMsgUnix(message, rights, nil)
	if err == nil && n < len(message) {
		_, err = socket.Write(message[n:])
	}
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}
