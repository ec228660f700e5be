package main

import (
	"context"
	"fmt"

	"github.com/jeton-dev/jeton/internal/admin"
)

// projectCommand groups the commands for projects.
type projectCommand struct {
	Create createProjectCommand `cmd:"" help:"Create a project and print its ID."`
	List   listProjectsCommand  `cmd:"" help:"List the projects, oldest first."`
}

type createProjectCommand struct {
	Name string `arg:"" help:"Name of the project."`
	outputFlags
}

// Run prints the ID of the new project.
func (c *createProjectCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	p, err := callAdmin(line.DataDir, "create project", func(client *admin.Client) (admin.Project, error) {
		return client.CreateProject(ctx, c.Name)
	})
	if err != nil {
		return err
	}
	if c.json() {
		return printJSON(s.out, p)
	}
	_, err = fmt.Fprintln(s.out, p.ID)
	return err
}

type listProjectsCommand struct{ outputFlags }

// Run prints a table.
func (c *listProjectsCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	all, err := callAdmin(line.DataDir, "list projects", func(client *admin.Client) ([]admin.Project, error) {
		return client.Projects(ctx)
	})
	if err != nil {
		return err
	}
	return c.print(s.out, all, "PROJECT\tNAME\tORGANIZATION\tCREATED", rows(all, func(p admin.Project) []string {
		return []string{p.ID, p.Name, p.OrganizationID, formatTime(&p.CreatedAt, "")}
	}))
}

// rows returns the rows of a table with one row per object.
func rows[T any](objects []T, row func(T) []string) [][]string {
	lines := make([][]string, len(objects))
	for i, object := range objects {
		lines[i] = row(object)
	}
	return lines
}
