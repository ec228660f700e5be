package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

const (
	// heartbeat is the time between two checks of the API key of an idle stream, and
	// between two comments that keep proxies from closing it.
	heartbeat = 10 * time.Second
	// maxStream is the maximum duration of a stream. Clients reconnect.
	maxStream = time.Hour
)

// An eventStream sends server-sent events to one client. Before each event, it checks the
// API key again.
type eventStream struct {
	api     *API
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	scope   functions.Scope
}

// errSessionEnded means that the API key of a stream no longer permits it.
var errSessionEnded = errors.New("the API key no longer permits the stream")

// events returns a response that sends events until run returns, the client disconnects,
// the API key no longer permits reading, maxStream has passed or the server stops. run
// first sends a comment, after which the client misses no event. Each API key has a limited
// number of these responses.
func (a *API) events(r *http.Request, scope functions.Scope, run func(ctx context.Context, s *eventStream) error) (any, error) {
	in, err := a.insight()
	if err != nil {
		return nil, err
	}
	release, err := in.View.OpenStream(infoOf(r).key.AccessKey)
	if err != nil {
		return nil, &functions.Error{Code: functions.Unavailable, Message: err.Error()}
	}
	return stream(func(w http.ResponseWriter, r *http.Request) {
		defer release()
		ctx, cancel := context.WithTimeout(r.Context(), maxStream)
		defer cancel()
		go func() {
			select {
			case <-a.config.Stopping:
				cancel()
			case <-ctx.Done():
			}
		}()
		s := &eventStream{api: a, w: w, r: r, control: http.NewResponseController(w), scope: scope}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Accel-Buffering", "no") // nginx must not buffer it
		_ = s.control.SetReadDeadline(time.Time{})
		if err := run(ctx, s); err != nil && ctx.Err() == nil && !errors.Is(err, errSessionEnded) {
			infoOf(r).err = err
		}
	}), nil
}

// check updates the scope of the stream. If the API key no longer permits it, check sends
// the event end and returns errSessionEnded.
func (s *eventStream) check() error {
	key, err := s.api.keyOf(s.r, s.api.config.Now())
	if err != nil || !key.May(iam.Read) {
		_ = s.write("event: end\ndata: {}\n\n")
		return errSessionEnded
	}
	s.scope.ProjectID, s.scope.Projects = key.ProjectID, s.api.config.Keys.Visible(key)
	return nil
}

// send sends one event with data as JSON.
func (s *eventStream) send(event string, data any) error {
	if err := s.check(); err != nil {
		return err
	}
	encoded, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return s.write(fmt.Sprintf("event: %s\ndata: %s\n\n", event, encoded))
}

// comment keeps the connection open.
func (s *eventStream) comment() error {
	if err := s.check(); err != nil {
		return err
	}
	return s.write(":\n\n")
}

func (s *eventStream) write(text string) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
