package launcher

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// receiveFile returns the file that the agent sends.
func receiveFile(conn *net.UnixConn) (*os.File, error) {
	data, control := make([]byte, 1), make([]byte, syscall.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(data, control)
	if err != nil {
		return nil, fmt.Errorf("receive file: %w", err)
	}
	messages, err := syscall.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		return nil, errors.Join(errors.New("receive file: none was sent"), err)
	}
	files, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(files) != 1 {
		return nil, errors.Join(errors.New("receive file: none was sent"), err)
	}
	syscall.CloseOnExec(files[0])
	return os.NewFile(uintptr(files[0]), "listener"), nil
}
