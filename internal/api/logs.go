package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// Logs has what functions print.
type Logs interface {
	// Lines reports the lines of a function since an instant, oldest first, and
	// with follow goes on with what is printed until ctx ends. What report returns
	// ends it.
	Lines(ctx context.Context, functionID string, since time.Time, follow bool, report func(LogLine) error) error
}

// A LogLine is one line that an instance has printed. The Serverless Framework's
// plugin, for which the real service has once had this route, reads the message.
type LogLine struct {
	Message    string    `json:"message"`
	Timestamp  time.Time `json:"timestamp"`
	Stream     string    `json:"stream"`
	RevisionID string    `json:"revision_id"`
	InstanceID string    `json:"instance_id"`
	RequestID  string    `json:"request_id"`
}

type logsAnswer struct {
	Logs []LogLine `json:"logs"`
}

const (
	// usualLines and mostLines are how many lines are answered with, the newest:
	// unless the caller says how many, and at most.
	usualLines = 1000
	mostLines  = 10000
	// longestFollow is how long one request may follow, and writeTime how long its
	// caller may take for one line.
	longestFollow = time.Hour
	writeTime     = 30 * time.Second
)

// logsQuery is what the caller asks for.
type logsQuery struct {
	since  time.Time
	limit  int
	follow bool
}

// A stream is an answer that is not one JSON document.
type stream func(w http.ResponseWriter, r *http.Request)

// functionLogs answers with the newest lines of a function or, with follow=true,
// with all lines since an instant and those to come, one JSON object a line.
func (a *API) functionLogs(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "function_id")
	if err != nil {
		return nil, err
	}
	query, err := a.readLogsQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	if _, err := a.Service.Function(r.Context(), scope, id); err != nil {
		return nil, err
	}
	if query.follow {
		return stream(func(w http.ResponseWriter, r *http.Request) { a.followLogs(w, r, id, query.since) }), nil
	}
	lines := []LogLine{}
	err = a.Logs.Lines(r.Context(), id, query.since, false, func(line LogLine) error {
		// It is cut seldom, so that it is not copied for every line.
		if lines = append(lines, line); len(lines) >= 2*query.limit {
			lines = append([]LogLine{}, lines[len(lines)-query.limit:]...)
		}
		return r.Context().Err()
	})
	return logsAnswer{Logs: lines[max(0, len(lines)-query.limit):]}, err
}

func (a *API) readLogsQuery(values url.Values) (logsQuery, error) {
	query := logsQuery{limit: usualLines, follow: values.Get("follow") == "true"}
	if text := values.Get("since"); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if ago, wrong := time.ParseDuration(text); wrong == nil {
			at, err = a.Now().Add(-ago), nil
		}
		if err != nil {
			return query, &functions.Error{
				Code: functions.InvalidArgument, Argument: "since", Reason: "format",
				Message: "must be a time such as 2027-01-31T12:00:00Z, or how long ago, such as 10m",
			}
		}
		query.since = at
	}
	if text := values.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > mostLines {
			return query, &functions.Error{
				Code: functions.InvalidArgument, Argument: "limit", Reason: "constraint",
				Message: "must be a number from 1 to " + strconv.Itoa(mostLines),
			}
		}
		query.limit = limit
	}
	return query, nil
}

var errNoLonger = errors.New("the caller may no longer read")

// followLogs writes lines until the caller leaves, may no longer read, or has
// followed for long enough.
func (a *API) followLogs(w http.ResponseWriter, r *http.Request, functionID string, since time.Time) {
	ctx, cancel := context.WithTimeout(r.Context(), longestFollow)
	defer cancel()
	go func() {
		select {
		case <-a.Stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := json.NewEncoder(w)
	// Nothing more is read; and how long the caller may take is said for each line.
	_ = control.SetReadDeadline(time.Time{})
	// The head goes out at once: whoever follows a silent function is to know.
	_ = control.Flush()
	err := a.Logs.Lines(ctx, functionID, since, true, func(line LogLine) error {
		if key, err := a.Keys.Authenticate(r.Header.Get("X-Auth-Token"), a.Now()); err != nil || !key.May(iam.Read) {
			return errNoLonger
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		_ = control.SetWriteDeadline(time.Now().Add(writeTime))
		if err := lines.Encode(line); err != nil {
			return err
		}
		return control.Flush()
	})
	if err != nil && ctx.Err() == nil {
		notedFor(r).err = err
	}
}
