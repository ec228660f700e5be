package harness

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// A Load describes calls of one side of a comparison.
type Load struct {
	// URLs are called in turn by the connections: each connection calls one.
	URLs []string
	// Host and Token are sent as headers; empty for none.
	Host, Token string
	// PID is the process whose CPU time is measured; 0 for none.
	PID int
	// Calls is the number of calls of all Connections together.
	Calls, Connections int
}

// Run makes the calls, and returns their cost in seconds. All answers must be Hello.
func (l Load) Run(ctx context.Context) (Cost, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: l.Connections}}
	defer client.CloseIdleConnections()
	before, err := l.cpuTime()
	if err != nil {
		return Cost{}, err
	}
	began := time.Now()
	var group sync.WaitGroup
	failures := make(chan error, l.Connections)
	for i := range l.Connections {
		group.Go(func() {
			for range l.Calls / l.Connections {
				if err := l.call(ctx, client, l.URLs[i%len(l.URLs)]); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	group.Wait()
	took := time.Since(began)
	close(failures)
	if err := <-failures; err != nil {
		return Cost{}, err
	}
	after, err := l.cpuTime()
	return Cost{Elapsed: took.Seconds(), CPU: (after - before).Seconds()}, err
}

func (l Load) cpuTime() (time.Duration, error) {
	if l.PID == 0 {
		return 0, nil
	}
	return CPUTime(l.PID)
}

func (l Load) call(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Host = l.Host
	if l.Token != "" {
		request.Header.Set("X-Auth-Token", l.Token)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != Hello {
		return fmt.Errorf("call: got %s %q, error %w", response.Status, body, err)
	}
	return nil
}
