package server

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/gateway"
)

// feedBuffer is the number of calls that a slow reader of a callFeed can be behind; further
// calls are not reported to it.
const feedBuffer = 256

// callFeed reports completed calls to the readers of a function's calls. It implements
// gateway.Observer, and never delays a call.
type callFeed struct {
	mu      sync.RWMutex
	readers map[string]map[chan api.LogLine]struct{}
}

func newCallFeed() *callFeed { return &callFeed{readers: map[string]map[chan api.LogLine]struct{}{}} }

// Begin implements gateway.Observer.
func (f *callFeed) Begin(r *http.Request) *http.Request { return r }

// End implements gateway.Observer.
func (f *callFeed) End(_ *http.Request, o gateway.Outcome) {
	if o.Misdirected {
		return // The call ends at another node.
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	readers := f.readers[o.FunctionID]
	if len(readers) == 0 {
		return
	}
	line := api.LogLine{
		Message: describeCall(o), Timestamp: o.Ended, Stream: api.CallStream, InstanceID: o.InstanceID, RequestID: o.RequestID,
	}
	for reader := range readers {
		select {
		case reader <- line:
		default:
		}
	}
}

// Calls returns a channel with the calls of a function that end from now on, until stop is
// called.
func (f *callFeed) Calls(functionID string) (calls <-chan api.LogLine, stop func()) {
	reader := make(chan api.LogLine, feedBuffer)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readers[functionID] == nil {
		f.readers[functionID] = map[chan api.LogLine]struct{}{}
	}
	f.readers[functionID][reader] = struct{}{}
	return reader, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if delete(f.readers[functionID], reader); len(f.readers[functionID]) == 0 {
			delete(f.readers, functionID)
		}
	}
}

// describeCall returns a call as text: its method, path, status and duration, and how it was
// served or why it was not.
func describeCall(o gateway.Outcome) string {
	how := ""
	switch {
	case o.Reason != "":
		how = ", denied: " + o.Reason
	case o.Failure != nil:
		how = ", failed: " + o.Failure.Error()
	case o.Cold:
		how = fmt.Sprintf(", cold start %s", o.Waited().Round(time.Millisecond))
	}
	return fmt.Sprintf("%s %s %d %s%s", o.Method, o.Path, o.Status, o.Ended.Sub(o.Began).Round(100*time.Microsecond), how)
}
