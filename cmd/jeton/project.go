package main

import (
	"context"
	"fmt"

	"github.com/jeton-dev/jeton/internal/admin"
)

// projectCommand holds the commands about projects.
type projectCommand struct {
	Create createProjectCommand `cmd:"" help:"Make a project."`
	List   listProjectsCommand  `cmd:"" help:"List the projects, oldest first."`
}

type createProjectCommand struct {
	Name string `arg:"" help:"What to call it."`
	JSON bool   `name:"json" help:"Print JSON, for programs."`
}

// Run prints the ID of the new project.
func (c *createProjectCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	p, err := ask(line.DataDir, "make the project", func(client *admin.Client) (admin.Project, error) {
		return client.CreateProject(ctx, c.Name)
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, p)
	}
	_, err = fmt.Fprintln(s.out, p.ID)
	return err
}

type listProjectsCommand struct{ listing }

// Run prints a table.
func (c *listProjectsCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	all, err := ask(line.DataDir, "list the projects", func(client *admin.Client) ([]admin.Project, error) {
		return client.Projects(ctx)
	})
	if err != nil {
		return err
	}
	return c.print(s.out, all, "PROJECT\tNAME\tORGANIZATION\tCREATED", rows(all, func(p admin.Project) []string {
		return []string{p.ID, p.Name, p.OrganizationID, orWord(&p.CreatedAt, "")}
	}))
}

// rows are the lines of a table.
func rows[T any](objects []T, row func(T) []string) [][]string {
	lines := make([][]string, len(objects))
	for i, object := range objects {
		lines[i] = row(object)
	}
	return lines
}
