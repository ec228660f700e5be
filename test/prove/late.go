package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/store"
)

// lateArgument makes this program run a server that breaks promise 1.
const lateArgument = "serve-late"

// lateness is the delay between the commit of a deletion and its arrival at the gateway.
const lateness = 20 * time.Millisecond

// serveLate runs a server with a gateway that applies deletions late, like one that polls
// or caches.
func serveLate(dataDir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	config := server.DefaultConfig(dataDir)
	config.APIListen, config.GatewayListen, config.OpsListen = "127.0.0.1:0", "127.0.0.1:0", ""
	config.CacheDir = ".cache"
	late := server.WrapFollower(func(follower store.Follower) store.Follower {
		late := lateFollower{follower, make(chan store.Change, 10_000)}
		go late.run()
		return late
	})
	s, err := server.Open(ctx, config, slog.New(slog.NewTextHandler(os.Stderr, nil)), late)
	if err != nil {
		return err
	}
	return errors.Join(s.Run(ctx), s.Close())
}

// A lateFollower passes deletions on after lateness.
type lateFollower struct {
	store.Follower

	later chan store.Change
}

func (f lateFollower) run() {
	for change := range f.later {
		time.AfterFunc(lateness, func() { f.Follower.Apply(change) })
	}
}

// Apply implements store.Follower.
func (f lateFollower) Apply(change store.Change) {
	if change.Deleted {
		f.later <- change
	} else {
		f.Follower.Apply(change)
	}
}
