package enginetest

import (
	"bufio"
	"bytes"
	"errors"
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
	"time"
)

// behaviourVariable selects the behaviour of an instance.
const behaviourVariable = "ENGINETEST_BEHAVIOUR"

// The behaviours of instances.
const (
	// Serve answers questions: see answer.
	Serve = "serve"
	// Crash prints three lines and exits with status 3 before it serves.
	Crash = "crash"
	// Hang never serves.
	Hang = "hang"
	// Stubborn serves and ignores SIGTERM.
	Stubborn = "stubborn"
	// LeaveChild serves, and has started a process that outlives it.
	LeaveChild = "leave-child"
	// LeaveWriter serves, and has started a process that keeps its standard output
	// open for some seconds.
	LeaveWriter = "leave-writer"
	// ClosePipe closes the readiness pipe without a report and never serves.
	ClosePipe = "close-pipe"
	// Tidy serves, and answers the question "wait" when it receives SIGTERM.
	Tidy = "tidy"
	// sleep is the behaviour of the process that LeaveChild starts.
	sleep = "sleep"
)

// Main runs an instance, and does not return, if the environment selects a
// behaviour. It serves on the listener that is file descriptor 3 and writes one
// byte to file descriptor 4 when it does.
func Main() {
	switch behaviour := os.Getenv(behaviourVariable); behaviour {
	case "":
		return
	case Crash:
		fmt.Fprintln(os.Stdout, "about to fail")
		fmt.Fprintln(os.Stderr, "first line of the error")
		fmt.Fprintln(os.Stderr, "Cannot find module 'x' with "+os.Getenv("PASSWORD"))
		os.Exit(3)
	case Hang:
		sleepForever()
	case ClosePipe:
		_ = os.NewFile(4, "ready").Close()
		sleepForever()
	case sleep:
		seconds, err := strconv.Atoi(os.Args[1])
		if err != nil {
			fail(err)
		}
		<-time.After(time.Duration(seconds) * time.Second)
		os.Exit(0)
	case Stubborn:
		signal.Ignore(syscall.SIGTERM)
	case Tidy:
		terminated := make(chan os.Signal, 1)
		signal.Notify(terminated, syscall.SIGTERM)
		go answerWaiting(terminated)
	case LeaveChild, LeaveWriter:
		startSleeper(behaviour == LeaveWriter)
	}
	serveForever()
}

// terminatedAnswer is the answer of a Tidy instance to "wait".
const terminatedAnswer = "terminated"

// waiting holds the connection that asked a Tidy instance to "wait".
var waiting = make(chan net.Conn, 1)

func answerWaiting(signals <-chan os.Signal) {
	<-signals
	conn := <-waiting
	if _, err := io.WriteString(conn, terminatedAnswer); err != nil {
		fail(err)
	}
	os.Exit(0)
}

// SleeperName is the command line of the process that LeaveChild starts.
const SleeperName = "sleeper"

// startSleeper starts a process that outlives the instance. With a session of its
// own, the process also keeps the instance's standard output open.
func startSleeper(ownSession bool) {
	seconds := "300"
	if ownSession {
		seconds = "5" // It survives the instance's process group.
	}
	program, err := os.Executable()
	if err != nil {
		fail(err)
	}
	sleeper := &exec.Cmd{
		Path:        program,
		Args:        []string{SleeperName, seconds},
		Env:         append(os.Environ(), behaviourVariable+"="+sleep),
		SysProcAttr: &syscall.SysProcAttr{Setsid: ownSession},
	}
	if ownSession {
		sleeper.Stdout = os.Stdout
	}
	if err := sleeper.Start(); err != nil {
		fail(err)
	}
}

// sleepForever waits for a timer, since Go's runtime ends a program that waits for nothing.
func sleepForever() {
	for {
		<-time.After(time.Hour)
	}
}

// serveForever answers one question, a line, on each connection. As the programs of runtimes, it
// serves others while one is silent.
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
		go serve(conn)
	}
}

func serve(conn net.Conn) {
	question, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && question == "wait\n" {
		waiting <- conn
		return
	}
	if err == nil {
		_, err = io.WriteString(conn, answer(strings.TrimSpace(question)))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		fail(err)
	}
	_ = conn.Close()
}

func answer(question string) string {
	switch question {
	case "ping":
		return "pong"
	case "env":
		return strings.Join(os.Environ(), "\n")
	case "write file":
		if err := os.WriteFile(temporaryFile(), []byte("x"), 0o600); err != nil {
			fail(err)
		}
		return temporaryFile()
	case "file exists":
		_, err := os.Stat(temporaryFile())
		return strconv.FormatBool(err == nil)
	case "allocate":
		allocated = bytes.Repeat([]byte{1}, Allocation)
		return strconv.Itoa(len(allocated))
	case "exit":
		os.Exit(7)
	}
	return "unknown question"
}

// Allocation is how much memory the question "allocate" takes, in bytes.
const Allocation = 64 << 20

// allocated keeps that memory.
var allocated []byte

func temporaryFile() string { return filepath.Join(os.TempDir(), "temporary-file") }

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
