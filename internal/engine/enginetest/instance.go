package enginetest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
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
	child := 0
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
		child = startSleeper(behaviour == leaveWriter)
	}
	serveForever(child)
}

// traceVariable names the file that a tidy instance writes when it is asked to go.
const traceVariable = "ENGINETEST_TRACE"

func tidyUp(asked <-chan os.Signal) {
	<-asked
	if err := os.WriteFile(os.Getenv(traceVariable), []byte("asked"), 0o600); err != nil {
		fail(err)
	}
	os.Exit(0)
}

// startSleeper leaves a process behind and returns its number. One that leads its
// own session keeps the instance's output open after the instance.
func startSleeper(ownSession bool) int {
	duration := "300"
	if ownSession {
		duration = "5" // Nobody ends it.
	}
	sleeper := &exec.Cmd{
		Path:        "/bin/sleep",
		Args:        []string{"sleep", duration},
		SysProcAttr: &syscall.SysProcAttr{Setsid: ownSession},
	}
	if ownSession {
		sleeper.Stdout = os.Stdout
	}
	if err := sleeper.Start(); err != nil {
		fail(err)
	}
	return sleeper.Process.Pid
}

// serveForever answers a question on each connection: a word and a line's end.
func serveForever(child int) {
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
		if err == nil {
			_, err = io.WriteString(conn, answer(strings.TrimSpace(question), child))
		}
		if err != nil {
			fail(err)
		}
		_ = conn.Close()
	}
}

func answer(question string, child int) string {
	switch question {
	case "env":
		return strings.Join(os.Environ(), "\n")
	case "pid":
		return strconv.Itoa(os.Getpid())
	case "child":
		return strconv.Itoa(child)
	case "dir":
		dir, err := os.Getwd()
		if err != nil {
			fail(err)
		}
		return dir
	case "exit":
		os.Exit(7)
	}
	return "what?"
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
