//go:build linux

// Command kubernetes runs a Kubernetes of one node for tests, and commands inside it:
//
//	kubernetes run -image FILE... COMMAND...   start a cluster, run COMMAND inside, stop it
//	kubernetes up -image FILE...               start a cluster that keeps running
//	kubernetes enter COMMAND...                run COMMAND inside
//	kubernetes down                            stop the cluster
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
)

func main() {
	cluster.RunStage(os.Args[1:])
	// The cluster ends with the thread that starts it.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(max(exit.ExitCode(), 1))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kubernetes:", err)
		os.Exit(1)
	}
}

type list []string

func (l *list) String() string         { return strings.Join(*l, " ") }
func (l *list) Set(value string) error { *l = append(*l, value); return nil }

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("the command is missing: use run, up, enter or down")
	}
	var config cluster.Config
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	flags.StringVar(&config.Dir, "dir", "/tmp/jeton-kubernetes", "folder of the cluster")
	flags.StringVar(&config.Kube, "kube", "bin/kube", "program of tools/kubernetes")
	flags.StringVar(&config.Router, "router", "", "program of tools/kuberouter, which enforces network policies")
	flags.Var((*list)(&config.Images), "image", "archive of a container image to import; repeatable")
	flags.Var((*list)(&config.APIServer), "apiserver", "flag of the API server; repeatable")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "run":
		return runOnce(ctx, config, flags.Args())
	case "up":
		config.Detached = true
		_, err := cluster.Start(ctx, config)
		return err
	case "enter":
		c, err := cluster.Open(config.Dir)
		if err != nil {
			return err
		}
		return enter(ctx, c, flags.Args())
	case "down":
		return cluster.Stop(config.Dir)
	default:
		return fmt.Errorf("no command %q: use run, up, enter or down", args[0])
	}
}

// runOnce starts a cluster, runs a command inside, and stops the cluster.
func runOnce(ctx context.Context, config cluster.Config, command []string) error {
	c, err := cluster.Start(ctx, config)
	if err != nil {
		return err
	}
	return errors.Join(enter(ctx, c, command), c.Stop())
}

func enter(ctx context.Context, c *cluster.Cluster, args []string) error {
	if len(args) == 0 {
		return errors.New("the command to run inside is missing")
	}
	command, err := c.Command(ctx, args[0], args[1:]...)
	if err != nil {
		return err
	}
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return command.Run()
}
