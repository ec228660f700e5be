package main

import (
	"context"
	"fmt"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/remote"
)

// namespaceCommand groups the commands for namespaces.
type namespaceCommand struct {
	List   listNamespacesCommand  `cmd:"" help:"List the namespaces."`
	Get    getNamespaceCommand    `cmd:"" help:"Print a namespace."`
	Create createNamespaceCommand `cmd:"" help:"Create a namespace."`
	Delete deleteNamespaceCommand `cmd:"" help:"Delete namespaces with their functions and tokens."`
}

type listNamespacesCommand struct {
	remoteCommand
	outputFlags
}

// Run prints a table.
func (c *listNamespacesCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		all, err := server.Namespaces(ctx)
		if err != nil {
			return err
		}
		return c.print(s.out, all, "NAMESPACE\tSTATUS\tREGION\tPROJECT\tUPDATED\tID", rows(all, func(n *function.Namespace) []string {
			return []string{n.Name, string(n.Status), string(n.Region), n.ProjectID, formatTime(n.UpdatedAt, "-"), n.ID}
		}))
	})
}

// namespaceArgument is a namespace on the command line.
type namespaceArgument struct {
	Namespace string `arg:"" help:"Namespace: NAME, ID or REGION/ID."`
}

type getNamespaceCommand struct {
	namespaceArgument
	remoteCommand
	outputFlags
}

// Run prints the properties of a namespace.
func (c *getNamespaceCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		n, err := server.Namespace(ctx, c.Namespace)
		if err != nil {
			return err
		}
		return c.printNamespace(s, n)
	})
}

func (o outputFlags) printNamespace(s streams, n *function.Namespace) error {
	return o.printObject(s.out, n, [][2]string{
		{"namespace", n.Name},
		{"id", n.ID},
		{"region", string(n.Region)},
		{"project", n.ProjectID},
		{"status", string(n.Status)},
		{"error", text(n.ErrorMessage)},
		{"description", text(n.Description)},
		{"created", formatTime(n.CreatedAt, "")},
	})
}

type createNamespaceCommand struct {
	Name string `arg:"" help:"Name of the namespace."`
	remoteCommand
	outputFlags
}

// Run creates the namespace and waits until it is ready.
func (c *createNamespaceCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		n, created, err := server.EnsureNamespace(ctx, server.Region(), c.Name)
		if err != nil {
			return err
		}
		if !created {
			return fmt.Errorf("create namespace %s: it exists already, with the ID %s", c.Name, n.ID)
		}
		return c.printNamespace(s, n)
	})
}

type deleteNamespaceCommand struct {
	Namespaces []string `arg:"" name:"namespace" help:"Namespaces: NAME, ID or REGION/ID."`
	remoteCommand
}

// Run deletes the namespaces and prints their names.
func (c *deleteNamespaceCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		all := make([]*function.Namespace, len(c.Namespaces))
		for i, name := range c.Namespaces {
			n, err := server.Namespace(ctx, name)
			if err != nil {
				return err
			}
			all[i] = n
		}
		for _, n := range all {
			if err := server.DeleteNamespace(ctx, n); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "namespace %s is deleted\n", n.Name)
		}
		return nil
	})
}
