package process_test

import (
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// burnVariable makes the test program an instance that takes all the CPU that it
// gets: some before it serves, and more for each connection.
const burnVariable = "PROCESS_TEST_BURN"

const (
	// startCost is the CPU time that the instance takes until it serves: with the
	// smallest tier it would be throttled some 28 times.
	startCost = 200 * time.Millisecond
	// burnTime is how long it burns for a connection, on all CPUs.
	burnTime = time.Second
)

// runBurner serves until it is killed. Each connection is told the CPU time that
// was taken for it, in nanoseconds.
func runBurner() error {
	if os.Getenv(burnVariable+"_FOREVER") != "" {
		for {
			burn()
		}
	}
	for taken() < startCost {
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
		before := taken()
		burn()
		if _, err := fmt.Fprint(conn, int64(taken()-before)); err != nil {
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

// taken is the CPU time of this process so far.
func taken() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
