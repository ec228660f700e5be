package main

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/test/nodes"
)

// measure causes faults and prints what callers see.
func (d *demo) measure(ctx context.Context) error {
	for _, fault := range []func(context.Context) error{d.pausedNode, d.postgresDown, d.postgresRestart, d.bucketDown} {
		if err := fault(ctx); err != nil {
			return err
		}
	}
	return nil
}

// called reports whether a call with a valid token is answered by the function.
func (d *demo) called(ctx context.Context, n *nodes.Node) func() bool {
	return func() bool { status, _ := d.call(ctx, n, d.lasting); return status == http.StatusOK }
}

// changed reports whether the API answers a change.
func (d *demo) changed(n *nodes.Node) func() bool {
	return func() bool {
		api, err := d.api(n)
		if err != nil {
			return false
		}
		token, err := api.CreateToken(&function.CreateTokenRequest{FunctionID: &d.f.ID})
		if err == nil {
			_, err = api.DeleteToken(&function.DeleteTokenRequest{TokenID: token.ID})
		}
		return err == nil
	}
}

func (d *demo) pausedNode(ctx context.Context) error {
	home := d.home()
	rest := d.others(home)
	fmt.Fprintf(d.out, "\nPause %s, the home of the function (SIGSTOP)\n", home.Name)
	if err := home.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	begun := time.Now()
	changes := make(chan time.Duration, 1)
	go func() {
		d.changed(rest[1])()
		changes <- time.Since(begun)
	}()
	if err := d.outage(ctx, "calls through "+rest[0].Name, d.called(ctx, rest[0])); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "  a change through %s is answered after %v\n", rest[1].Name, (<-changes).Round(10*time.Millisecond))
	if err := home.Signal(syscall.SIGCONT); err != nil {
		return err
	}
	return d.outage(ctx, "calls through "+home.Name+" after it is resumed", d.called(ctx, home))
}

func (d *demo) postgresDown(ctx context.Context) error {
	fmt.Fprintln(d.out, "\nStop PostgreSQL for 10 s")
	if err := d.Postgres.Crash(); err != nil {
		return err
	}
	begun := time.Now()
	for d.called(ctx, d.nodes[0])() && time.Since(begun) < time.Minute {
		pause(ctx, 20*time.Millisecond)
	}
	fmt.Fprintf(d.out, "  calls are admitted for %v, and then answered with 503\n", time.Since(begun).Round(10*time.Millisecond))
	pause(ctx, 10*time.Second-time.Since(begun))
	if err := d.Postgres.Resume(); err != nil {
		return err
	}
	if err := d.outage(ctx, "calls after the start of PostgreSQL", d.called(ctx, d.nodes[0])); err != nil {
		return err
	}
	return d.outage(ctx, "changes after that", d.changed(d.nodes[1]))
}

func (d *demo) postgresRestart(ctx context.Context) error {
	fmt.Fprintln(d.out, "\nRestart PostgreSQL at once")
	if err := d.Postgres.Crash(); err != nil {
		return err
	}
	if err := d.Postgres.Resume(); err != nil {
		return err
	}
	if err := d.outage(ctx, "calls", d.called(ctx, d.nodes[0])); err != nil {
		return err
	}
	return d.outage(ctx, "changes", d.changed(d.nodes[1]))
}

func (d *demo) bucketDown(ctx context.Context) error {
	fmt.Fprintln(d.out, "\nStop the S3 server")
	if err := d.StopS3(); err != nil {
		return err
	}
	if err := d.outage(ctx, "calls of a function that was called before", d.called(ctx, d.nodes[0])); err != nil {
		return err
	}
	return d.outage(ctx, "changes of tokens", d.changed(d.nodes[1]))
}
