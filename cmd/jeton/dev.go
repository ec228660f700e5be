package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/printable"
	"github.com/jeton-dev/jeton/internal/remote"
	"github.com/jeton-dev/jeton/internal/source"
)

// devCommand deploys the functions of a folder after every change.
type devCommand struct {
	projectFlags
	remoteCommand
}

// Help implements kong.HelpProvider.
func (*devCommand) Help() string {
	return `The command deploys the functions to a namespace of their own, NAMESPACE-dev, deploys a function again after every change of its files, and prints calls and logs as they happen. The functions stay when the command ends; its tokens are revoked. Delete them: jeton namespace delete NAMESPACE-dev`
}

const (
	// devTimeout is the maximum time of one deployment.
	devTimeout = time.Hour
	// devToken is the lifetime of the token that dev prints.
	devToken = 24 * time.Hour
	// devSuffix distinguishes the namespace of development.
	devSuffix = "-dev"
)

// Run deploys and watches until ctx ends.
func (c *devCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		project, err := c.load(ctx, server, s)
		if err != nil {
			return err
		}
		if c.Namespace == "" {
			project.Namespace += devSuffix
		}
		info, err := server.Info(ctx)
		if err != nil {
			return err
		}
		var group errgroup.Group
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		out := newTerminal(s.err)
		for _, name := range project.names {
			d := developer{deployer: deployer{server: server, out: out, timeout: devTimeout, quiet: true}, project: project, name: name, info: info, streams: s}
			group.Go(func() error {
				defer cancel()
				return d.run(ctx)
			})
		}
		return group.Wait()
	})
}

// A developer keeps one function up to date with its folder.
type developer struct {
	deployer

	project loadedProject
	name    string
	info    remote.Info
	streams streams

	// found is the function once it exists.
	found remote.Found
	last  source.Archive
	// following makes sure that the log is followed once.
	following sync.Once
}

func (d *developer) run(ctx context.Context) error {
	defer d.revoke(ctx)
	changes := make(chan time.Time, 1)
	var group errgroup.Group
	defer func() { _ = group.Wait() }()
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := make(chan struct{})
	failed := make(chan error, 1)
	group.Go(func() error {
		err := source.Watch(watching, d.project.folder(d.name), func() { close(ready) }, func(first time.Time) {
			select {
			case changes <- first:
			default: // The deployment that follows has this change too.
			}
		})
		failed <- err
		return nil
	})
	select {
	case <-ready:
	case err := <-failed:
		return err
	}
	began := time.Now()
	for {
		if err := d.update(ctx, began, &group); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case began = <-changes:
		}
	}
}

// update deploys the function as the folder is now. It prints errors that the developer can
// correct by a change, and returns others.
func (d *developer) update(ctx context.Context, began time.Time, group *errgroup.Group) error {
	archive, err := source.Pack(d.project.folder(d.name))
	if err != nil {
		return d.correctable(err, errors.Is(err, source.ErrNoFiles))
	}
	if string(archive.Content) == string(d.last.Content) {
		return nil
	}
	first := d.found.Function == nil
	if first {
		if d.found, err = d.ensure(ctx, d.project, d.name); err != nil {
			return err
		}
		d.out.printf("Deploying %s (%d %s)", d.found.Name(), archive.Files, plural(archive.Files, "file"))
	}
	d.last = archive
	d.following.Do(func() {
		group.Go(func() error { d.follow(ctx); return nil })
	})
	found, err := d.upload(ctx, d.found, archive)
	if err != nil {
		_, ok := errors.AsType[*remote.DeploymentError](err)
		return d.correctable(err, ok || ctx.Err() != nil)
	}
	d.found = found
	d.out.printf("%s", d.out.colour(green, fmt.Sprintf("%s is live after %s", d.found.Name(), time.Since(began).Round(time.Millisecond))))
	if first {
		return d.introduce(ctx)
	}
	return nil
}

// correctable prints an error, with the line of source code that it names, if the developer can
// correct it by a change, and otherwise returns it.
func (d *developer) correctable(err error, ok bool) error {
	if !ok {
		return err
	}
	d.out.printf("%s", d.out.colour(red, err.Error()))
	d.locate(err.Error())
	return nil
}

// introduce prints how to call the function.
func (d *developer) introduce(ctx context.Context) error {
	result := deployed{Namespace: d.found.Namespace.Name, Name: d.name, URL: d.info.URL(d.found), Private: d.found.Function.Privacy == function.FunctionPrivacyPrivate}
	if result.Private {
		token, err := d.server.Token(ctx, d.found.Function, devToken, devDescription)
		if err != nil {
			return err
		}
		result.Token = token.Token
		fmt.Fprintf(d.streams.out, "curl %s -H 'X-Auth-Token: %s'\n", result.URL, result.Token)
	} else {
		fmt.Fprintf(d.streams.out, "curl %s\n", result.URL)
	}
	d.out.printf("Waiting for changes in %s; press Ctrl-C to stop", d.project.folder(d.name))
	return nil
}

// devDescription is the description of the tokens of jeton dev.
const devDescription = "jeton dev"

// revoke revokes the tokens of jeton dev for the function.
func (d *developer) revoke(ctx context.Context) {
	if d.found.Function == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer cancel()
	f := d.found.Function
	list, err := d.server.Functions.ListTokens(&function.ListTokensRequest{Region: f.Region, FunctionID: &f.ID}, scw.WithContext(ctx), scw.WithAllPages())
	if err != nil {
		d.out.printf("jeton: the token of jeton dev was not revoked: %v", err)
		return
	}
	for _, t := range list.Tokens {
		if text(t.Description) != devDescription {
			continue
		}
		_, err := d.server.Functions.DeleteToken(&function.DeleteTokenRequest{Region: f.Region, TokenID: t.ID}, scw.WithContext(ctx))
		if err != nil && remote.StatusOf(err) != http.StatusNotFound {
			d.out.printf("jeton: token %s was not revoked: %v", t.ID, err)
		}
	}
}

// reconnect is the pause before a stream of logs that has ended is opened again.
const reconnect = time.Second

// follow prints calls and log lines of the function until ctx ends.
func (d *developer) follow(ctx context.Context) {
	f := d.found.Function
	since := time.Now().Add(-time.Second)
	if f.ReadyAt == nil {
		since = time.Time{} // A new function has no older lines.
	}
	for ctx.Err() == nil {
		err := d.server.Logs(ctx, f, remote.LogQuery{Since: since, Follow: true, Calls: true}, func(line remote.LogLine) error {
			since = line.Timestamp.Add(time.Nanosecond)
			d.show(line)
			return nil
		})
		if err != nil && ctx.Err() == nil {
			d.out.printf("%s", d.out.colour(red, explain(err, d.server.URL).Error()))
		}
		select {
		case <-ctx.Done():
		case <-time.After(reconnect):
		}
	}
}

// show prints a log line, and the line of source code that it names.
func (d *developer) show(line remote.LogLine) {
	if line.Stream == remote.CallStream {
		d.out.printf("%s %s", d.out.colour(dim, line.Timestamp.Local().Format("15:04:05.000")+" "+d.name+" "), d.out.colour(bold, printable.Text(line.Message)))
		return
	}
	printLine(d.out, line)
	if slices.Contains([]string{remote.Stderr, remote.System}, line.Stream) {
		d.locate(line.Message)
	}
}

// locate prints the line of source code that a message names, if it names one.
func (d *developer) locate(message string) {
	if excerpt, ok := source.Locate(d.project.folder(d.name), message); ok {
		d.out.printf("    %s", d.out.colour(bold, excerpt.String()))
	}
}
