package process_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/process"
)

func TestOutput_IsReportedByLine(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		script string
		want   []string
	}{
		"lines":          {`printf 'one\ntwo\r\n\nlast'`, []string{"stdout one", "stdout two", "stdout ", "stdout last"}},
		"standard error": {`echo oops >&2`, []string{"stderr oops"}},
		"no UTF-8":       {`printf 'a\377b\n'`, []string{"stdout a\uFFFDb"}},
		"a long line": {
			`head -c 20000 /dev/zero | tr '\0' x`,
			[]string{"stdout " + strings.Repeat("x", 8192), "stdout " + strings.Repeat("x", 8192), "stdout " + strings.Repeat("x", 3616)},
		},
		"nothing": {`exit 0`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, process.Config{Dir: shortDir(t)})
			o := collect(e)
			runToItsEnd(t, e, engine.Revision{ID: "r", FunctionID: "f", Launch: shell(t, test.script)})
			if got := o.texts(); !slices.Equal(got, test.want) {
				t.Errorf("got lines %.300q, want %.300q", got, test.want)
			}
		})
	}
}

func TestOutput_HasTheReasonOfTheEnd(t *testing.T) {
	t.Parallel()
	e := newEngine(t, process.Config{Dir: shortDir(t)})
	o := collect(e)
	reason := runToItsEnd(t, e, engine.Revision{ID: "r", FunctionID: "f", Launch: shell(t, "echo no hunter2 >&2; exit 3"), Secrets: []string{"hunter2"}})
	o.mu.Lock()
	defer o.mu.Unlock()
	if want := []string{"the instance ended: exit status 3: no [redacted]"}; !slices.Equal(o.system, want) || reason != "exit status 3: no [redacted]" {
		t.Errorf("got %q and reason %q, want %q", o.system, reason, want)
	}
}

// TestOutput_IsLoggedAtDebug checks the lines in the server's log.
func TestOutput_IsLoggedAtDebug(t *testing.T) {
	t.Parallel()
	for level, want := range map[slog.Level][]string{
		slog.LevelDebug: {"stderr it is [redacted]", "system the instance ended: exit status 0: it is [redacted]"}, slog.LevelInfo: nil,
	} {
		var log bytes.Buffer
		e, err := process.New(
			withPorts(t, process.Config{Dir: shortDir(t)}), slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: level})),
		)
		if err != nil {
			t.Fatal(err)
		}
		runToItsEnd(t, e, engine.Revision{ID: "r", FunctionID: "f", Launch: shell(t, "echo it is hunter2 >&2"), Secrets: []string{"hunter2"}})
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if got := logged(t, &log); !slices.Equal(got, want) {
			t.Errorf("level %v: logged %q, want %q", level, got, want)
		}
	}
}

// output collects the lines that instances print, and those of engine.System.
type output struct {
	mu     sync.Mutex
	lines  []engine.Line
	system []string
}

func collect(e engine.Engine) *output {
	o := &output{}
	e.SetOutput(func(line engine.Line) {
		o.mu.Lock()
		defer o.mu.Unlock()
		if line.Stream == engine.System {
			o.system = append(o.system, line.Text)
			return
		}
		o.lines = append(o.lines, line)
	})
	return o
}

// texts returns the stream and text of each line.
func (o *output) texts() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var texts []string
	for _, line := range o.lines {
		texts = append(texts, line.Stream+" "+line.Text)
	}
	return texts
}

// runToItsEnd runs one instance and returns the reason of its end.
func runToItsEnd(t *testing.T, e *process.Engine, r engine.Revision) string {
	t.Helper()
	events, err := e.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Apply(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := e.SetScale(t.Context(), "r", 1, nil); err != nil {
		t.Fatal(err)
	}
	for event := range events {
		if event.State == engine.Gone {
			return event.Reason
		}
	}
	return ""
}

// logged returns the stream and text of each line of a log.
func logged(t *testing.T, log *bytes.Buffer) []string {
	t.Helper()
	var lines []string
	for decoder := json.NewDecoder(log); decoder.More(); {
		var record struct {
			Msg, Revision, Instance, Stream string
			Function                        string `json:"function_id"`
		}
		if err := decoder.Decode(&record); err != nil {
			t.Fatal(err)
		}
		if record.Function != "f" || record.Revision != "r" || record.Instance == "" {
			t.Errorf("logged %+v, want function f, revision r and an instance", record)
		}
		lines = append(lines, record.Stream+" "+record.Msg)
	}
	return lines
}
