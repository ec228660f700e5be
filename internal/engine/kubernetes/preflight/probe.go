package preflight

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"
)

// terminationLog is where Kubernetes reads the last words of a container.
const terminationLog = "/dev/termination-log"

// attempts is the number of failures in a row after which an address counts as unreachable.
const attempts = 3

// Probe is the program of the Pods that try the network. It tries to connect to an address until
// that fails several times in a row or reachTimeout has passed, writes what it found to the
// termination log, and accepts connections at the agents' port until one arrives.
func Probe(ctx context.Context, canary string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", ":"+AgentPort)
	if err != nil {
		return fmt.Errorf("listen at the agents' port: %w", err)
	}
	defer listener.Close()
	arrived := make(chan struct{})
	go func() {
		defer close(arrived)
		if conn, err := listener.Accept(); err == nil {
			conn.Close()
		}
	}()
	words := try(ctx, canary)
	if err := os.WriteFile(terminationLog, []byte(words), 0o644); err != nil {
		return fmt.Errorf("report the result: %w", err)
	}
	if words == wordReached {
		return nil // The control Pod, or no policy: the result is known.
	}
	select {
	case <-arrived:
	case <-time.After(reachTimeout):
	case <-ctx.Done():
	}
	return nil
}

// try returns the words that describe whether the address can be reached in the end.
func try(ctx context.Context, canary string) string {
	start := time.Now()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	failures, open := 0, time.Duration(0)
	for failures < attempts && ctx.Err() == nil {
		if err := dial(ctx, canary); err != nil {
			failures++
		} else {
			failures, open = 0, time.Since(start)
		}
		if failures == 0 && time.Since(start) > reachTimeout {
			return wordReached
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	if open > 0 {
		return fmt.Sprintf("%s, but reachable for %v after its start", wordUnreachable, open.Round(time.Millisecond))
	}
	return wordUnreachable + " from its start"
}
