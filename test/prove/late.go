package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/server"
)

// lateArgument has this program be a server that breaks the first promise.
const lateArgument = "serve-late"

// lateness is how long after its commit the gateway hears of a change.
const lateness = 20 * time.Millisecond

// serveLate is the test of the test: a server whose gateway follows the changes
// at a distance, as one that polls or caches would.
func serveLate(dataDir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	config := server.DefaultConfig(dataDir)
	config.APIListen, config.GatewayListen, config.OpsListen = "127.0.0.1:0", "127.0.0.1:0", ""
	config.CacheDir = ".cache"
	config.Follow = func(apply func(functions.Change)) func(functions.Change) {
		later := make(chan functions.Change, 10_000)
		go func() {
			for change := range later {
				time.AfterFunc(lateness, func() { apply(change) })
			}
		}()
		return func(change functions.Change) {
			if change.Deleted {
				later <- change
			} else {
				apply(change)
			}
		}
	}
	s, err := server.Open(ctx, config, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	return errors.Join(s.Run(ctx), s.Close())
}
