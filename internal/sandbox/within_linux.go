package sandbox

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// A visitor goes into mount namespaces and comes back, on a thread that nothing
// else runs on: what a thread that does not share its root folder sees of the
// machine is of no concern to others.
type visitor struct {
	mu     sync.Mutex
	visits chan<- visit
}

type visit struct {
	namespace *os.File
	do        func() error
	done      chan error
}

var theVisitor visitor

// within runs a function in the mount namespace of the sandbox, with the
// privileges of the server.
func (s *Sandbox) within(do func() error) error {
	theVisitor.mu.Lock()
	defer theVisitor.mu.Unlock()
	if theVisitor.visits == nil {
		visits, err := startVisitor()
		if err != nil {
			return fmt.Errorf("enter sandbox: %w", err)
		}
		theVisitor.visits = visits
	}
	v := visit{s.mounts, do, make(chan error)}
	theVisitor.visits <- v
	err := <-v.done
	if lost := <-v.done; lost != nil {
		// It is somewhere else now, and has ended.
		theVisitor.visits = nil
	}
	return err
}

// startVisitor starts the thread.
func startVisitor() (chan<- visit, error) {
	visits, started, visiting := make(chan visit), make(chan error), make(chan struct{})
	var start func()
	start = func() {
		// It is never unlocked: the thread ends with the goroutine. The main thread
		// would not, and is what others take for the whole process: it waits here
		// until another one is the visitor.
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			go start()
			<-visiting
			runtime.UnlockOSThread()
			return
		}
		close(visiting)
		home, err := os.Open("/proc/thread-self/ns/mnt")
		if err == nil {
			err = unix.Unshare(unix.CLONE_FS)
		}
		started <- err
		if err != nil {
			return
		}
		defer home.Close()
		for v := range visits {
			err := unix.Setns(int(v.namespace.Fd()), unix.CLONE_NEWNS)
			if err == nil {
				err = v.do()
			}
			v.done <- err
			err = unix.Setns(int(home.Fd()), unix.CLONE_NEWNS)
			v.done <- err
			if err != nil {
				return
			}
		}
	}
	go start()
	return visits, <-started
}
