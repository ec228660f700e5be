package main

import (
	"context"
	"fmt"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/remote"
)

// cronCommand, triggerCommand and domainCommand group the commands for what is attached to
// functions.
type (
	cronCommand struct {
		List listCronsCommand `cmd:"" help:"List the crons of a function, or of all functions."`
	}
	triggerCommand struct {
		List listTriggersCommand `cmd:"" help:"List the triggers of a function, or of all functions."`
	}
	domainCommand struct {
		List listDomainsCommand `cmd:"" help:"List the custom domains of a function, or of all functions."`
	}
)

// listAttached are the flags of lists of what is attached to functions.
type listAttached struct {
	Function string `arg:"" optional:"" help:"Function: NAME, NAMESPACE/NAME, ID or REGION/ID (default: all)."`
	remoteCommand
	outputFlags
}

// An attached object belongs to a function.
type attached[T any] struct {
	function remote.Found
	object   T
}

// listOf calls list with each function that the flags select, and returns all objects.
func listOf[T any](ctx context.Context, c listAttached, server *remote.Server, kind string, list func(*function.Function) ([]T, error)) ([]attached[T], error) {
	var functions []remote.Found
	var err error
	if c.Function == "" {
		functions, err = server.AllFunctions(ctx, nil)
	} else {
		var found remote.Found
		found, err = server.Function(ctx, c.Function)
		functions = []remote.Found{found}
	}
	if err != nil {
		return nil, err
	}
	all := []attached[T]{}
	for _, f := range functions {
		objects, err := list(f.Function)
		if err != nil {
			return nil, fmt.Errorf("list %s of function %s: %w", kind, f.Name(), err)
		}
		for _, o := range objects {
			all = append(all, attached[T]{f, o})
		}
	}
	return all, nil
}

// printAttached prints a list.
func printAttached[T any](c listAttached, s streams, all []attached[T], heading string, row func(T) []string) error {
	objects := make([]T, len(all))
	for i, a := range all {
		objects[i] = a.object
	}
	return c.print(s.out, objects, "FUNCTION\t"+heading, rows(all, func(a attached[T]) []string {
		return append([]string{a.function.Name()}, row(a.object)...)
	}))
}

type listCronsCommand struct{ listAttached }

// Run prints a table.
func (c *listCronsCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		all, err := listOf(ctx, c.listAttached, server, "crons", func(f *function.Function) ([]*function.Cron, error) {
			list, err := server.Functions.ListCrons(&function.ListCronsRequest{Region: f.Region, FunctionID: f.ID}, scw.WithContext(ctx), scw.WithAllPages())
			if err != nil {
				return nil, err
			}
			return list.Crons, nil
		})
		if err != nil {
			return err
		}
		return printAttached(c.listAttached, s, all, "CRON\tSCHEDULE\tSTATUS\tID", func(o *function.Cron) []string {
			return []string{o.Name, o.Schedule, string(o.Status), o.ID}
		})
	})
}

type listTriggersCommand struct{ listAttached }

// Run prints a table.
func (c *listTriggersCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		all, err := listOf(ctx, c.listAttached, server, "triggers", func(f *function.Function) ([]*function.Trigger, error) {
			list, err := server.Functions.ListTriggers(&function.ListTriggersRequest{Region: f.Region, FunctionID: &f.ID}, scw.WithContext(ctx), scw.WithAllPages())
			if err != nil {
				return nil, err
			}
			return list.Triggers, nil
		})
		if err != nil {
			return err
		}
		return printAttached(c.listAttached, s, all, "TRIGGER\tTYPE\tSTATUS\tERROR\tID", func(o *function.Trigger) []string {
			return []string{o.Name, string(o.InputType), string(o.Status), text(o.ErrorMessage), o.ID}
		})
	})
}

type listDomainsCommand struct{ listAttached }

// Run prints a table.
func (c *listDomainsCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		all, err := listOf(ctx, c.listAttached, server, "domains", func(f *function.Function) ([]*function.Domain, error) {
			list, err := server.Functions.ListDomains(&function.ListDomainsRequest{Region: f.Region, FunctionID: f.ID}, scw.WithContext(ctx), scw.WithAllPages())
			if err != nil {
				return nil, err
			}
			return list.Domains, nil
		})
		if err != nil {
			return err
		}
		return printAttached(c.listAttached, s, all, "DOMAIN\tSTATUS\tERROR\tID", func(o *function.Domain) []string {
			return []string{o.Hostname, string(o.Status), text(o.ErrorMessage), o.ID}
		})
	})
}
