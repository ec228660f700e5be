//go:build !linux

package postgres

import (
	"errors"
	"os"
	"syscall"
)

// credentials returns the attributes of the server's processes.
func credentials() (*syscall.SysProcAttr, error) {
	if os.Geteuid() == 0 {
		return nil, errors.New("PostgreSQL does not run as root: run the tests as another user")
	}
	return &syscall.SysProcAttr{Setpgid: true}, nil
}
