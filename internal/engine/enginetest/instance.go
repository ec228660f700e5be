package enginetest

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
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
	behaviour := os.Getenv(behaviourVariable)
	switch behaviour {
	case "":
		return
	case crash:
		fmt.Println("about to fail")
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

// traceVariable names the file that a tidy instance writes when it is asked to go.
const traceVariable = "ENGINETEST_TRACE"

func tidyUp(asked <-chan os.Signal) {
	<-asked
	if err := os.WriteFile(os.Getenv(traceVariable), []byte("asked"), 0o600); err != nil {
		fail(err)
	}
	os.Exit(0)
}

// startSleeper leaves a process behind; its number is told by /child. One that
// leads its own session keeps the instance's output open after the instance.
func startSleeper(ownSession bool) {
	sleeper := exec.Command("/bin/sleep", "5")
	sleeper.SysProcAttr = &syscall.SysProcAttr{Setsid: ownSession}
	if ownSession {
		sleeper.Stdout = os.Stdout
	}
	if err := sleeper.Start(); err != nil {
		fail(err)
	}
	http.HandleFunc("/child", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, sleeper.Process.Pid)
	})
}

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
	http.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, strings.Join(os.Environ(), "\n"))
	})
	http.HandleFunc("/pid", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, strconv.Itoa(os.Getpid()))
	})
	http.HandleFunc("/dir", func(w http.ResponseWriter, _ *http.Request) {
		dir, err := os.Getwd()
		if err == nil {
			err = os.WriteFile("left-behind", []byte("x"), 0o600)
		}
		_, _ = fmt.Fprint(w, dir)
		if err != nil {
			_, _ = fmt.Fprint(w, err)
		}
	})
	http.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { os.Exit(7) })
	server := &http.Server{ReadHeaderTimeout: time.Minute}
	fail(server.Serve(listener))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
