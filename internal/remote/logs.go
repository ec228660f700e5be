package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// The streams of a LogLine.
const (
	Stdout = "stdout"
	Stderr = "stderr"
	// System lines are the server's: the end of an instance, a failed call.
	System = "system"
	// CallStream lines describe completed calls. They are not stored.
	CallStream = "call"
)

// A LogLine is one line of the log of a function.
type LogLine struct {
	Message    string    `json:"message"`
	Timestamp  time.Time `json:"timestamp"`
	Stream     string    `json:"stream"`
	RevisionID string    `json:"revision_id"`
	InstanceID string    `json:"instance_id"`
	RequestID  string    `json:"request_id"`
}

// A LogQuery selects lines of a log.
type LogQuery struct {
	// Since is the time of the first line; zero for all lines. Tail is the maximum number of
	// lines, counted from the newest; zero for the server's maximum.
	Since time.Time
	Tail  int
	// Follow continues with new lines. Calls adds lines about completed calls to them.
	Follow, Calls bool
}

// maxLines is the maximum number of lines of one response.
const maxLines = 10000

// Logs calls report with the lines of a function's log, oldest first. With Follow it returns
// when ctx ends or the server ends the stream.
func (s *Server) Logs(ctx context.Context, f *function.Function, q LogQuery, report func(LogLine) error) error {
	query := url.Values{}
	if !q.Since.IsZero() {
		query.Set("since", q.Since.UTC().Format(time.RFC3339Nano))
	}
	if !q.Follow || q.Tail > 0 {
		tail := q.Tail
		if tail <= 0 || tail > maxLines {
			tail = maxLines
		}
		query.Set("limit", strconv.Itoa(tail))
	}
	if !q.Follow {
		return s.storedLogs(ctx, f, query, report)
	}
	query.Set("follow", "true")
	if q.Calls {
		query.Set("calls", "true")
	}
	if err := follow(ctx, s, functionPath(f)+"/logs", query, report); err != nil {
		return fmt.Errorf("follow the log of function %s: %w", f.Name, err)
	}
	return nil
}

// follow calls report with each object of a stream. It returns nil when ctx ends or the server ends
// the stream.
func follow[T any](ctx context.Context, s *Server, path string, query url.Values, report func(T) error) error {
	body, err := s.stream(ctx, path, query)
	if err != nil {
		return err
	}
	defer body.Close()
	objects := json.NewDecoder(body)
	for {
		var object T
		err := objects.Decode(&object)
		if ctx.Err() != nil || errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := report(object); err != nil {
			return err
		}
	}
}

// Audit calls report with the entries of the audit log since a time, oldest first, and with new
// ones if wait is set. The API key must cover the organization.
func (s *Server) Audit(ctx context.Context, since time.Time, wait bool, report func(json.RawMessage) error) error {
	query := url.Values{}
	if !since.IsZero() {
		query.Set("since", since.UTC().Format(time.RFC3339Nano))
	}
	if wait {
		query.Set("follow", "true")
	}
	if err := follow(ctx, s, "/jeton/v1/audit-log", query, report); err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	return nil
}

func (s *Server) storedLogs(ctx context.Context, f *function.Function, query url.Values, report func(LogLine) error) error {
	var response struct{ Logs []LogLine }
	if err := s.get(ctx, functionPath(f)+"/logs", query, &response); err != nil {
		return fmt.Errorf("read the log of function %s: %w", f.Name, err)
	}
	for _, line := range response.Logs {
		if err := report(line); err != nil {
			return err
		}
	}
	return nil
}

// A BuildLog is the log of the latest build of a function, or the beginning of that of a
// running build.
type BuildLog struct {
	// StartedAt identifies the build.
	StartedAt time.Time `json:"started_at"`
	Log       string    `json:"log"`
}

// BuildLog returns the log of the latest build of a function; the zero BuildLog if it was never
// built.
func (s *Server) BuildLog(ctx context.Context, f *function.Function) (BuildLog, error) {
	var log BuildLog
	err := s.get(ctx, functionPath(f)+"/build-log", nil, &log)
	if StatusOf(err) == http.StatusNotFound {
		return BuildLog{}, nil
	}
	if err != nil {
		return log, fmt.Errorf("read the build log of function %s: %w", f.Name, err)
	}
	return log, nil
}

func functionPath(f *function.Function) string {
	return "/functions/v1beta1/regions/" + string(f.Region) + "/functions/" + f.ID
}
