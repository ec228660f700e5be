package shared

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/internal/store"
)

// A source reads the lines of one node.
type source func(ctx context.Context, functionID string, since time.Time, follow bool, each Each) error

// local is the source of this node.
func (l *Logs) local(ctx context.Context, functionID string, since time.Time, follow bool, each Each) error {
	report := func(e output.Entry, _ []byte) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return each(e)
	}
	if follow {
		return output.Follow(ctx, l.config.Dir, functionID, since, report)
	}
	return output.Read(l.config.Dir, functionID, since, report)
}

var errSlow = errors.New("it does not answer")

// at returns the source of another node.
func (l *Logs) at(m store.Member) source {
	return func(ctx context.Context, functionID string, since time.Time, follow bool, each Each) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		patience := time.AfterFunc(answerTimeout, func() { cancel(errSlow) })
		defer patience.Stop()
		response, err := l.get(ctx, m, linesPath+functionID, url.Values{
			sinceParam: {since.UTC().Format(time.RFC3339Nano)}, followParam: {strconv.FormatBool(follow)},
		})
		if err != nil {
			return causeOf(ctx, err)
		}
		defer response.Body.Close()
		lines := json.NewDecoder(response.Body)
		for {
			if follow {
				patience.Stop() // The next line may take any time.
			}
			var e output.Entry
			err := lines.Decode(&e)
			if err != nil {
				return causeOf(ctx, err)
			}
			patience.Stop()
			if err := each(e); err != nil {
				return err
			}
			patience.Reset(answerTimeout)
		}
	}
}

// causeOf returns why ctx has ended or, if it has not, err.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// missing is the line that says that lines of a node are missing.
func (l *Logs) missing(functionID string, m store.Member, cause error) output.Entry {
	return output.Entry{
		At: l.config.Now(), Function: functionID, Stream: output.System,
		Text: fmt.Sprintf("lines of node %s are missing: %v", m.Node, cause),
	}
}
