package shared

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/internal/store"
)

// Config has the dependencies of Logs. All fields are required.
type Config struct {
	// Dir is the folder with the logs of this node.
	Dir string
	// Running returns the log of the build of a function that runs now at this node.
	Running func(functionID string) (string, bool)
	// Others returns the other members.
	Others func() []store.Member
	// Do sends a request to a member. Package peers implements it.
	Do  func(m store.Member, r *http.Request) (*http.Response, error)
	Now func() time.Time
}

// Logs reads the logs of all nodes. It is safe for concurrent use.
type Logs struct{ config Config }

// New returns Logs. Returns an error if a required field is missing.
func New(c Config) (*Logs, error) {
	if c.Dir == "" || c.Running == nil || c.Others == nil || c.Do == nil || c.Now == nil {
		return nil, errors.New("configure logs of all nodes: Dir, Running, Others, Do and Now are required")
	}
	return &Logs{c}, nil
}

// The paths and parameters of requests to other nodes.
const (
	linesPath   = "/logs/lines/"
	buildPath   = "/logs/build/"
	sinceParam  = "since"
	followParam = "follow"
)

// answerTimeout is how long a node may take to answer, and then to send the next line of
// what it has stored.
const answerTimeout = 3 * time.Second

// maxBuildLog bounds the size of the log of a build in bytes. Nodes keep about 1 MiB.
const maxBuildLog = 4 << 20

// Each is called with each line. It ends the reading with an error.
type Each func(output.Entry) error

// Lines calls report with the lines of a function since a time, oldest first. With follow
// it continues with new lines until ctx ends. A node that cannot be reached is skipped, and
// a line of the stream output.System says so. It returns the first error of report.
func (l *Logs) Lines(ctx context.Context, functionID string, since time.Time, follow bool, report Each) error {
	if !follow {
		return l.stored(ctx, functionID, since, time.Time{}, report)
	}
	// What was stored before is merged completely. Clocks of nodes may differ, so the last
	// seconds are merged with the new lines.
	recent := l.config.Now().Add(-overlap)
	if since.Before(recent) {
		if err := l.stored(ctx, functionID, since, recent, report); err != nil {
			return err
		}
		since = recent
	}
	return l.follow(ctx, functionID, since, report)
}

// Builds returns the logs of the latest build of a function at each node that has one.
// Nodes that cannot be reached are skipped.
func (l *Logs) Builds(functionID string) ([]string, error) {
	if text, running := l.config.Running(functionID); running {
		return []string{text}, nil
	}
	var all []string
	text, ok, err := output.BuildLog(l.config.Dir, functionID)
	if err != nil {
		return nil, err
	}
	if ok {
		all = append(all, text)
	}
	members := l.config.Others()
	found := make(chan string, len(members))
	for _, m := range members {
		go func() { found <- l.buildAt(m, functionID) }()
	}
	for range members {
		if text := <-found; text != "" {
			all = append(all, text)
		}
	}
	return all, nil
}

// buildAt returns the log of the latest build at a node, "" if there is none.
func (l *Logs) buildAt(m store.Member, functionID string) string {
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	response, err := l.get(ctx, m, buildPath+functionID, nil)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBuildLog))
	if err != nil {
		return ""
	}
	return string(text)
}

// get sends a request to a node.
func (l *Logs) get(ctx context.Context, m store.Member, path string, query url.Values) (*http.Response, error) {
	u := url.URL{Path: path, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	response, err := l.config.Do(m, request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, errors.New("it answered " + response.Status)
	}
	return response, nil
}
