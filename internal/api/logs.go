package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// Logs stores the output of functions.
type Logs interface {
	// Lines calls report with the lines of a function since a time, oldest first. With
	// follow it continues with new lines until ctx ends. It returns the first error of
	// report.
	Lines(ctx context.Context, functionID string, since time.Time, follow bool, report func(LogLine) error) error
	// Build returns the log of the latest build of a function, and whether there is one.
	Build(functionID string) (BuildLog, bool, error)
	// Calls returns a channel with a line for each call of a function that ends from now on,
	// until stop is called.
	Calls(functionID string) (calls <-chan LogLine, stop func())
}

// A LogLine is one line of output of an instance. Scaleway once had this endpoint for the
// plugin of the Serverless Framework, which uses only the message.
type LogLine struct {
	Message    string    `json:"message"`
	Timestamp  time.Time `json:"timestamp"`
	Stream     string    `json:"stream"`
	RevisionID string    `json:"revision_id"`
	InstanceID string    `json:"instance_id"`
	RequestID  string    `json:"request_id"`
}

// CallStream is the stream of lines about calls.
const CallStream = "call"

type logsResponse struct {
	Logs []LogLine `json:"logs"`
}

const (
	// defaultLines and maxLines bound the number of lines in a response.
	defaultLines = 1000
	maxLines     = 10000
	// maxFollow is the maximum duration of a request with follow.
	maxFollow = time.Hour
	// writeTimeout is the maximum time for writing one line to the client.
	writeTimeout = 30 * time.Second
)

// logsQuery has the parameters of a request.
type logsQuery struct {
	since  time.Time
	limit  int
	follow bool
	// tail means that the request has a limit, and calls that lines about calls are wanted.
	tail, calls bool
}

// functionLogs returns the newest log lines of a function. With follow=true it streams all
// lines since a time and new ones, one JSON object per line.
func (a *API) functionLogs(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "function_id")
	if err != nil {
		return nil, err
	}
	query, err := a.parseLogsQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	if _, err := a.config.Service.Function(r.Context(), scope, id); err != nil {
		return nil, err
	}
	if query.follow && !query.tail {
		return stream(func(w http.ResponseWriter, r *http.Request) { a.followLogs(w, r, id, query) }), nil
	}
	lines, err := a.newestLines(r.Context(), id, query)
	if err != nil || !query.follow {
		return logsResponse{Logs: lines}, err
	}
	if query.since = a.config.Now(); len(lines) > 0 {
		query.since = lines[0].Timestamp
	}
	return stream(func(w http.ResponseWriter, r *http.Request) { a.followLogs(w, r, id, query) }), nil
}

// newestLines returns the newest lines within the limit of a query, oldest first.
func (a *API) newestLines(ctx context.Context, functionID string, query logsQuery) ([]LogLine, error) {
	lines := []LogLine{}
	err := a.config.Logs.Lines(ctx, functionID, query.since, false, func(line LogLine) error {
		// Truncating only at twice the limit avoids a copy for every line.
		if lines = append(lines, line); len(lines) >= 2*query.limit {
			lines = append([]LogLine{}, lines[len(lines)-query.limit:]...)
		}
		return ctx.Err()
	})
	return lines[max(0, len(lines)-query.limit):], err
}

func (a *API) parseLogsQuery(values url.Values) (logsQuery, error) {
	query := logsQuery{limit: defaultLines, follow: values.Get("follow") == "true", calls: values.Get("calls") == "true"}
	if text := values.Get("since"); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if ago, wrong := time.ParseDuration(text); wrong == nil {
			at, err = a.config.Now().Add(-ago), nil
		}
		if err != nil {
			return query, &functions.Error{
				Code: functions.InvalidArgument, Argument: "since", Reason: "format",
				Message: "must be a time such as 2027-01-31T12:00:00Z, or a duration before now such as 10m",
			}
		}
		query.since = at
	}
	if text := values.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maxLines {
			return query, &functions.Error{
				Code: functions.InvalidArgument, Argument: "limit", Reason: "constraint",
				Message: "must be a number from 1 to " + strconv.Itoa(maxLines),
			}
		}
		query.limit, query.tail = limit, true
	}
	return query, nil
}

var errNoLongerPermitted = errors.New("the API key no longer permits reading logs")

// followLogs streams lines until the client disconnects, its API key no longer permits it,
// maxFollow has passed, or the server stops.
func (a *API) followLogs(w http.ResponseWriter, r *http.Request, functionID string, query logsQuery) {
	ctx, cancel := a.streamContext(r)
	defer cancel()
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := json.NewEncoder(w)
	// The request was read completely; each line gets its own write deadline.
	_ = control.SetReadDeadline(time.Time{})
	// The headers are sent at once, before the function prints its first line.
	_ = control.Flush()
	var mu sync.Mutex
	write := func(line LogLine) error {
		mu.Lock()
		defer mu.Unlock()
		if key, err := a.config.Keys.Authenticate(r.Header.Get("X-Auth-Token"), a.config.Now()); err != nil || !key.May(iam.Read) {
			return errNoLongerPermitted
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		_ = control.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err := lines.Encode(line); err != nil {
			return err
		}
		return control.Flush()
	}
	if query.calls {
		calls, stop := a.config.Logs.Calls(functionID)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			writeCalls(ctx, cancel, calls, write)
		}()
		// The response must not be used after the request.
		defer func() { cancel(); <-ended; stop() }()
	}
	err := a.config.Logs.Lines(ctx, functionID, query.since, true, write)
	if err != nil && ctx.Err() == nil {
		infoOf(r).err = err
	}
}

// writeCalls writes lines about calls until ctx ends. It calls cancel if write fails.
func writeCalls(ctx context.Context, cancel func(), calls <-chan LogLine, write func(LogLine) error) {
	for {
		select {
		case line := <-calls:
			if err := write(line); err != nil {
				cancel()
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
