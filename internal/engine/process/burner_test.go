package process_test

import (
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// burnVariable makes the test program an instance that uses all available CPU time:
// before it serves, and for each connection.
const burnVariable = "PROCESS_TEST_BURN"

const (
	// startCost is the CPU time that the instance uses until it serves: with the lowest
	// CPU limit it would be throttled about 28 times.
	startCost = 200 * time.Millisecond
	// burnTime is how long it uses two CPUs for a connection.
	burnTime = time.Second
)

// runBurner serves until it is killed. The answer on each connection is the CPU time
// used for it, in nanoseconds.
func runBurner() error {
	if os.Getenv(burnVariable+"_FOREVER") != "" {
		for {
			burn()
		}
	}
	for usedCPU() < startCost {
	}
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	if _, err := os.NewFile(4, "ready").Write([]byte{1}); err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		before := usedCPU()
		burn()
		if _, err := fmt.Fprint(conn, int64(usedCPU()-before)); err != nil {
			return err
		}
		_ = conn.Close()
	}
}

func burn() {
	end := time.Now().Add(burnTime)
	var burners sync.WaitGroup
	for range 2 {
		burners.Go(func() {
			for time.Now().Before(end) {
			}
		})
	}
	burners.Wait()
}

// usedCPU returns the CPU time of this process.
func usedCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
