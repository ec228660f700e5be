package sandbox

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// A mountNSThread is a thread that runs functions in the mount namespaces of sandboxes.
// A thread can enter one only if it shares its root folder with no other thread, so
// this thread does nothing else.
type mountNSThread struct {
	mu    sync.Mutex
	tasks chan<- mountNSTask
}

// A mountNSTask is one function to run. done gets its error, and then the error of the
// return to the server's own namespace.
type mountNSTask struct {
	namespace *os.File
	do        func() error
	done      chan error
}

var theMountNSThread mountNSThread

// inMountNamespace runs a function in the mount namespace of the sandbox, with the
// privileges of the server. It runs one function at a time for all sandboxes.
func (s *Sandbox) inMountNamespace(do func() error) error {
	theMountNSThread.mu.Lock()
	defer theMountNSThread.mu.Unlock()
	if theMountNSThread.tasks == nil {
		tasks, err := startMountNSThread()
		if err != nil {
			return fmt.Errorf("enter mount namespace: %w", err)
		}
		theMountNSThread.tasks = tasks
	}
	task := mountNSTask{s.mountNS, do, make(chan error)}
	theMountNSThread.tasks <- task
	err := <-task.done
	if returnErr := <-task.done; returnErr != nil {
		// The thread could not return to its namespace, and has ended.
		theMountNSThread.tasks = nil
	}
	return err
}

func startMountNSThread() (chan<- mountNSTask, error) {
	tasks, started, onOtherThread := make(chan mountNSTask), make(chan error), make(chan struct{})
	var start func()
	start = func() {
		// The thread is never unlocked, so that it ends with the goroutine. The main
		// thread must not be used: it would not end, and its namespaces are those that
		// /proc shows for the process. It waits here until another thread is in use.
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			go start()
			<-onOtherThread
			runtime.UnlockOSThread()
			return
		}
		close(onOtherThread)
		home, err := os.Open("/proc/thread-self/ns/mnt")
		if err == nil {
			err = unix.Unshare(unix.CLONE_FS)
		}
		started <- err
		if err != nil {
			return
		}
		defer home.Close()
		for task := range tasks {
			err := unix.Setns(int(task.namespace.Fd()), unix.CLONE_NEWNS)
			if err == nil {
				err = task.do()
			}
			task.done <- err
			err = unix.Setns(int(home.Fd()), unix.CLONE_NEWNS)
			task.done <- err
			if err != nil {
				return
			}
		}
	}
	go start()
	return tasks, <-started
}
