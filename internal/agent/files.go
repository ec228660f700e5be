package agent

import (
	"net"
	"os"
	"syscall"
)

// sendFile sends an open file over a unix socket.
func sendFile(conn *net.UnixConn, file *os.File) error {
	_, _, err := conn.WriteMsgUnix([]byte{0}, syscall.UnixRights(int(file.Fd())), nil)
	return err
}
