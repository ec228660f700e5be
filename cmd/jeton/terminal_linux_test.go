package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/scaleway/scaleway-sdk-go/scw"
	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/testlog"
)

// A screen is a pseudo-terminal. Commands use file; shown is everything that they have written.
type screen struct {
	file, keyboard *os.File
	shown          testlog.Buffer
	drained        chan struct{}
}

// openScreen returns a terminal with 80 columns.
func openScreen(t *testing.T) *screen {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("open a pseudo-terminal: %v", err)
		}
	}
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	must(err)
	must(unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	must(err)
	file, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	must(err)
	must(unix.IoctlSetWinsize(int(file.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}))
	s := &screen{file: file, keyboard: keyboard, drained: make(chan struct{})}
	go func() {
		defer close(s.drained)
		// The end is an error: no program has the terminal open.
		_, _ = io.Copy(&s.shown, keyboard)
	}()
	t.Cleanup(func() { _ = keyboard.Close() })
	return s
}

// text closes the terminal and returns everything that it has shown.
func (s *screen) text(t *testing.T) string {
	t.Helper()
	if err := s.file.Close(); err != nil {
		t.Fatal(err)
	}
	<-s.drained
	return s.shown.String()
}

var (
	bars    = regexp.MustCompile(`\[(=*)( *)\] +(\d+) %`)
	colours = regexp.MustCompile(`\x1b\[`)
)

// deployOnScreen deploys a folder with 4 MB that do not compress, and returns what the terminal and
// standard output show.
func deployOnScreen(t *testing.T, args ...string) (shown, out string) {
	t.Helper()
	s, stdout := openScreen(t), new(bytes.Buffer)
	if status := run(append([]string{"deploy", "hello"}, args...), strings.NewReader(""), stdout, s.file); status != 0 {
		t.Fatalf("got status %d: %s", status, s.text(t))
	}
	return s.text(t), stdout.String()
}

func TestTerminal_ShowsProgressAndColours(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	random := make([]byte, 4<<20)
	if _, err := io.ReadFull(newNoise(), random); err != nil {
		t.Fatal(err)
	}
	inFolder(t, map[string]string{"hello/handler.js": helloJS, "hello/data.bin": string(random)})

	shown, out := deployOnScreen(t)
	found := bars.FindAllStringSubmatch(shown, -1)
	if len(found) < 3 {
		t.Fatalf("got %d progress bars, want several: %q", len(found), shown)
	}
	for _, bar := range found {
		if len(bar[1])+len(bar[2]) != barCells {
			t.Errorf("got a bar of %d cells, want %d", len(bar[1])+len(bar[2]), barCells)
		}
	}
	if last := found[len(found)-1]; last[3] != "100" || len(last[1]) != barCells {
		t.Errorf("the last bar is %q, want a full one", last[0])
	}
	if !colours.MatchString(shown) {
		t.Error("a terminal has no colours")
	}
	if bars.MatchString(out) || colours.MatchString(out) || !strings.Contains(out, "/functions/default/hello") {
		t.Errorf("standard output has progress or no URL: %q", out)
	}

	t.Setenv("NO_COLOR", "1")
	shown, out = deployOnScreen(t, "-o", "json")
	if colours.MatchString(shown) {
		t.Errorf("NO_COLOR: the terminal has colours: %q", shown)
	}
	if !json.Valid([]byte(out)) {
		t.Errorf("-o json: standard output is not JSON: %q", out)
	}

	var plain bytes.Buffer
	if status := run([]string{"deploy", "hello"}, strings.NewReader(""), io.Discard, &plain); status != 0 || bars.MatchString(plain.String()) || colours.MatchString(plain.String()) {
		t.Errorf("without a terminal: got status %d and %q", status, plain.String())
	}
}

// newNoise returns bytes that do not compress, the same at each run.
func newNoise() io.Reader { return rand.NewChaCha8([32]byte{1}) }

func TestLogin_ReadsKeyWithoutEcho(t *testing.T) {
	jeton := jetontest.Start(t)
	path := filepath.Join(t.TempDir(), "config.yaml")
	t.Setenv(scw.ScwConfigPathEnv, path)
	s := openScreen(t)
	ended := make(chan int, 1)
	go func() {
		ended <- run([]string{"login", jeton.APIURL, "--profile", "team"}, s.file, io.Discard, s.file)
	}()
	await.True(t, "the prompt", func() bool { return strings.Contains(s.shown.String(), "Secret key for ") && !echoes(t, s) })
	if _, err := s.keyboard.WriteString(jeton.SecretKey + "\n"); err != nil {
		t.Fatal(err)
	}
	status := await.Receive(t, "the end of the command", ended)
	if !echoes(t, s) {
		t.Error("the terminal has no echo after the command")
	}
	shown := s.text(t)
	if status != 0 || strings.Contains(shown, jeton.SecretKey) || !strings.Contains(shown, "saved the key "+jeton.AccessKey) {
		t.Errorf("got status %d and %q, want a message without the secret key", status, shown)
	}
	config, err := scw.LoadConfigFromPath(path)
	if err != nil || text(config.Profiles["team"].SecretKey) != jeton.SecretKey {
		t.Errorf("got no profile with the key, error %v", err)
	}
}

// echoes reports whether a terminal shows what is typed.
func echoes(t *testing.T, s *screen) bool {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(s.file.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return settings.Lflag&unix.ECHO != 0
}
