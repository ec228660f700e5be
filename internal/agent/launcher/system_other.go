//go:build !linux

package launcher

import (
	"errors"
	"os"
)

func hideMemory() error { return errors.New("instances in Pods run on Linux only") }

func awaitProcess(p *os.Process) (*os.ProcessState, error) { return p.Wait() }

// Memory returns 0.
func Memory() int64 { return 0 }

// OutOfMemory returns 0.
func OutOfMemory() int64 { return 0 }
