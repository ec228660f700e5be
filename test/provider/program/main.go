// Command program is the provider with a clock that can be ahead, for tests.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/jeton-dev/jeton/internal/provider"
)

// clockAhead is the variable with the duration by which the clock is ahead.
const clockAhead = "PROVIDER_TEST_CLOCK_AHEAD"

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	ahead, err := time.ParseDuration(os.Getenv(clockAhead))
	if err != nil {
		return fmt.Errorf("%s: %w", clockAhead, err)
	}
	options, err := provider.OptionsFrom("test", os.Getenv)
	if err != nil {
		return err
	}
	options.Now = func() time.Time { return time.Now().Add(ahead) }
	return provider.Serve(options, false)
}
