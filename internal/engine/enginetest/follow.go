package enginetest

import (
	"crypto/rand"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
)

// patience is how long the suite waits for what must happen. It is long because
// test machines are busy; it is only used up when a test fails.
const patience = 2 * time.Minute

// revision returns a revision whose instances behave in one way.
func revision(t *testing.T, behaviour string, env ...string) engine.Revision {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return engine.Revision{
		ID:         "revision-" + behaviour,
		FunctionID: "function",
		Command:    []string{program},
		Dir:        t.TempDir(),
		Env:        append([]string{behaviourVariable + "=" + behaviour, markVariable + "=" + rand.Text()}, env...),
	}
}

// apply makes a revision known and asks for n instances of it.
func apply(t *testing.T, e engine.Engine, r engine.Revision, n int) {
	t.Helper()
	if err := e.Apply(t.Context(), r); err != nil {
		t.Fatalf("Apply() = %v", err)
	}
	scale(t, e, r, n)
}

func scale(t *testing.T, e engine.Engine, r engine.Revision, n int, spare ...string) {
	t.Helper()
	if err := e.SetScale(t.Context(), r.ID, n, spare); err != nil {
		t.Fatalf("SetScale(%d) = %v", n, err)
	}
}

// follow starts a watch that ends with the test.
func follow(t *testing.T, e engine.Engine) <-chan engine.Event {
	t.Helper()
	events, err := e.Watch(t.Context())
	if err != nil {
		t.Fatalf("Watch() = %v", err)
	}
	return events
}

// next returns the next event, which must be of the wanted state.
func next(t *testing.T, events <-chan engine.Event, want engine.State) engine.Event {
	t.Helper()
	select {
	case event, ok := <-events:
		if !ok || event.State != want {
			t.Fatalf("next event is %+v (open: %v), want state %d", event, ok, want)
		}
		return event
	case <-time.After(patience):
		t.Fatalf("no event of state %d", want)
	}
	return engine.Event{}
}

// startOne returns an instance that is ready.
func startOne(t *testing.T, e engine.Engine, events <-chan engine.Event, r engine.Revision) engine.Event {
	t.Helper()
	apply(t, e, r, 1)
	next(t, events, engine.Starting)
	return next(t, events, engine.Ready)
}

// ask puts a question to an instance and returns its answer.
func ask(address, question string) (string, error) {
	conn, err := net.DialTimeout("unix", address, patience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, question+"\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	if err == nil && len(answer) == 0 {
		err = io.ErrUnexpectedEOF
	}
	return string(answer), err
}

func mustAsk(t *testing.T, address, question string) string {
	t.Helper()
	answer, err := ask(address, question)
	if err != nil {
		t.Fatalf("ask %s: %v", question, err)
	}
	return answer
}

// markVariable tells the processes of one revision from all others.
const markVariable = "ENGINETEST_MARK"

// processesOf returns the numbers of the processes of a revision's instances, as
// this machine counts them, whatever numbers they have for themselves, and
// whether each is a child that an instance has left behind.
func processesOf(t *testing.T, r engine.Revision) map[int]bool {
	t.Helper()
	mark := r.Env[slices.IndexFunc(r.Env, func(variable string) bool { return strings.HasPrefix(variable, markVariable+"=") })]
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil || len(files) == 0 {
		// Other systems have no list of processes with their environments.
		t.Skip("there is no /proc")
	}
	found := map[int]bool{}
	for _, file := range files {
		environment, _ := os.ReadFile(file)
		if !slices.Contains(strings.Split(string(environment), "\x00"), mark) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		found[pid] = strings.HasPrefix(string(line), sleeperName+"\x00")
	}
	return found
}

// processOf returns the number of the only instance's process, or of the only
// child that it has left behind.
func processOf(t *testing.T, r engine.Revision, child bool) int {
	t.Helper()
	for pid, isChild := range processesOf(t, r) {
		if isChild == child {
			return pid
		}
	}
	t.Fatalf("no process of %s is there", r.ID)
	return 0
}
