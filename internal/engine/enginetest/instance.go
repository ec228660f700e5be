package enginetest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// behaviourVariable makes the test program an instance, and tells it which.
const behaviourVariable = "ENGINETEST_BEHAVIOUR"

// The behaviours that an instance can be given.
const (
	serve       = "serve"
	crash       = "crash"
	hang        = "hang"
	stubborn    = "stubborn"
	leaveChild  = "leave-child"
	closesPipe  = "closes-pipe"
	leaveWriter = "leave-writer"
	tidy        = "tidy"
)

// Main runs an instance, and does not return, if the program was started as one.
// The test program's TestMain calls it first.
func Main() {
	switch behaviour := os.Getenv(behaviourVariable); behaviour {
	case "":
		return
	case crash:
		fmt.Fprintln(os.Stdout, "about to fail")
		fmt.Fprintln(os.Stderr, "first line of the error")
		fmt.Fprintln(os.Stderr, "Cannot find module 'x' with "+os.Getenv("PASSWORD"))
		os.Exit(3)
	case hang:
		select {}
	case closesPipe:
		_ = os.NewFile(4, "ready").Close()
		select {}
	case stubborn:
		signal.Ignore(syscall.SIGTERM)
	case tidy:
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		go tidyUp(asked)
	case leaveChild, leaveWriter:
		startSleeper(behaviour == leaveWriter)
	}
	serveForever()
}

// asked is what a tidy instance says to whoever waits for it when it is asked to
// go.
const asked = "asked"

// farewell has the connections of those who wait for a tidy instance's end.
var farewell = make(chan net.Conn, 1)

func tidyUp(signals <-chan os.Signal) {
	<-signals
	conn := <-farewell
	if _, err := io.WriteString(conn, asked); err != nil {
		fail(err)
	}
	os.Exit(0)
}

// sleeperName is the name of a process that an instance leaves behind.
const sleeperName = "sleeper"

// startSleeper leaves a process behind. One that leads its own session keeps the instance's output open after the instance.
func startSleeper(ownSession bool) {
	duration := "300"
	if ownSession {
		duration = "5" // Nobody ends it.
	}
	sleeper := &exec.Cmd{
		Path:        "/bin/sleep",
		Args:        []string{sleeperName, duration},
		SysProcAttr: &syscall.SysProcAttr{Setsid: ownSession},
	}
	if ownSession {
		sleeper.Stdout = os.Stdout
	}
	if err := sleeper.Start(); err != nil {
		fail(err)
	}
}

// serveForever answers a question on each connection: a word and a line's end.
func serveForever() {
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		fail(err)
	}
	ready := os.NewFile(4, "ready")
	if _, err := ready.Write([]byte{1}); err != nil {
		fail(err)
	}
	_ = ready.Close()
	for {
		conn, err := listener.Accept()
		if err != nil {
			fail(err)
		}
		question, err := bufio.NewReader(conn).ReadString('\n')
		if err == nil && question == "wait\n" {
			farewell <- conn
			continue
		}
		if err == nil {
			_, err = io.WriteString(conn, answer(strings.TrimSpace(question)))
		}
		if err != nil {
			fail(err)
		}
		_ = conn.Close()
	}
}

func answer(question string) string {
	switch question {
	case "env":
		return strings.Join(os.Environ(), "\n")
	case "leave":
		if err := os.WriteFile(leftBehind(), []byte("x"), 0o600); err != nil {
			fail(err)
		}
		return leftBehind()
	case "left":
		_, err := os.Stat(leftBehind())
		return strconv.FormatBool(err == nil)
	case "exit":
		os.Exit(7)
	}
	return "what?"
}

// leftBehind is a temporary file.
func leftBehind() string { return filepath.Join(os.TempDir(), "left-behind") }

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
