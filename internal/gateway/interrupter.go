package gateway

import "sync"

// interrupter is the upstream.Watcher of a call. The call watches its context itself, because it
// also interrupts the transfer from and to the client. The zero value is ready for use.
type interrupter struct {
	mu        sync.Mutex
	ran       bool
	interrupt func()
}

// Watch implements upstream.Watcher.
func (i *interrupter) Watch(interrupt func()) {
	i.mu.Lock()
	ran := i.ran
	if !ran {
		i.interrupt = interrupt
	}
	i.mu.Unlock()
	if ran {
		interrupt()
	}
}

// Unwatch implements upstream.Watcher.
func (i *interrupter) Unwatch() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.interrupt = nil
	return !i.ran
}

// run calls the function that is being watched, and all that Watch gets later.
func (i *interrupter) run() {
	i.mu.Lock()
	interrupt := i.interrupt
	i.ran, i.interrupt = true, nil
	i.mu.Unlock()
	if interrupt != nil {
		interrupt()
	}
}
