package audit

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/functions"
)

// readEndpoint is the endpoint of the admin socket that returns entries of Rows. Its
// requests are not recorded, so that a reader that follows the log does not extend it.
const readEndpoint = "GET /audit"

const (
	// pageSize is the maximum number of entries of one response.
	pageSize = 1000
	// waitMost is how long a response waits for a new entry, and waitTick the time between
	// two looks.
	waitMost = 30 * time.Second
	waitTick = 500 * time.Millisecond
)

// Reader serves the entries of Rows over the admin socket.
type Reader struct {
	Rows Rows
	// Stopping ends requests that wait for entries when it is closed.
	Stopping <-chan struct{}
}

// Operations returns the endpoints for the admin socket.
func (r Reader) Operations() map[string]admin.Operation {
	return map[string]admin.Operation{readEndpoint: r.read}
}

// read returns the entries after a number since a time. With wait, it waits for one.
func (r Reader) read(request *http.Request) (any, error) {
	query := request.URL.Query()
	after, err := strconv.ParseInt(query.Get("after"), 10, 64)
	if err != nil {
		return nil, &functions.Error{Code: functions.InvalidArgument, Message: "after is not a number"}
	}
	since, err := time.Parse(time.RFC3339Nano, query.Get("since"))
	if err != nil {
		return nil, &functions.Error{Code: functions.InvalidArgument, Message: "since is not a time"}
	}
	ctx, cancel := context.WithTimeout(request.Context(), waitMost)
	defer cancel()
	tick := time.NewTicker(waitTick)
	defer tick.Stop()
	for {
		page, err := readPage(request.Context(), r.Rows, after, since)
		if err != nil || len(page.Entries) > 0 || query.Get("wait") != "true" {
			return page, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return page, nil
		case <-r.Stopping:
			return page, nil
		}
	}
}

// ReadRows calls each with every entry of rows since a time, oldest first, and with its JSON,
// until each returns an error, which ReadRows then returns.
func ReadRows(ctx context.Context, rows Rows, since time.Time, each func(Entry, []byte) error) error {
	return ReadPages(ctx, false, func(after int64, _ bool) (admin.AuditPage, error) {
		return readPage(ctx, rows, after, since)
	}, each)
}

func readPage(ctx context.Context, rows Rows, after int64, since time.Time) (admin.AuditPage, error) {
	page := admin.AuditPage{Last: after, Entries: []json.RawMessage{}}
	err := rows.AuditEntries(ctx, after, since, pageSize, func(number int64, entry string) {
		page.Last, page.Entries = number, append(page.Entries, json.RawMessage(entry))
	})
	return page, err
}

// ReadPages calls each with every entry since a time, oldest first, and with its JSON, until
// each returns an error, which it then returns. fetch returns the entries after a number; it
// may wait for new ones. With follow, ReadPages continues until ctx ends.
func ReadPages(ctx context.Context, follow bool, fetch func(after int64, wait bool) (admin.AuditPage, error), each func(Entry, []byte) error) error {
	after := int64(0)
	for first := true; ; first = false {
		page, err := fetch(after, follow && !first)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // The end of ctx ends a follower.
		}
		if err != nil {
			return err
		}
		for _, line := range page.Entries {
			var e Entry
			if err := json.Unmarshal(line, &e); err != nil {
				continue // As in a file, what is not an entry is skipped.
			}
			if err := each(e, line); err != nil {
				return err
			}
		}
		if len(page.Entries) == 0 && !follow {
			return nil
		}
		after = page.Last
	}
}
