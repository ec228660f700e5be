package main

import (
	"context"
	"fmt"

	account "github.com/scaleway/scaleway-sdk-go/api/account/v3"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/remote"
)

// projectCommand groups the commands for projects.
type projectCommand struct {
	Create createProjectCommand `cmd:"" help:"Create a project and print its ID."`
	List   listProjectsCommand  `cmd:"" help:"List the projects, oldest first."`
	Delete deleteProjectCommand `cmd:"" help:"Delete an empty project and its API keys."`
}

type createProjectCommand struct {
	Name string `arg:"" help:"Name of the project."`
	adminCommand
	outputFlags
}

// Run prints the ID of the new project.
func (c *createProjectCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	p, err := callServer(c.adminCommand, line.DataDir, "create project", func(client *admin.Client) (admin.Project, error) {
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

type listProjectsCommand struct {
	adminCommand
	outputFlags
}

// Run prints a table.
func (c *listProjectsCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	all, err := callServer(c.adminCommand, line.DataDir, "list projects", func(client *admin.Client) ([]admin.Project, error) {
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

type deleteProjectCommand struct {
	Project string `arg:"" help:"Project: name or ID."`
	remoteCommand
}

// Run deletes the project. A project with namespaces is not deleted.
func (c *deleteProjectCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		list, err := server.Projects.ListProjects(&account.ProjectAPIListProjectsRequest{}, scw.WithContext(ctx), scw.WithAllPages())
		if err != nil {
			return fmt.Errorf("list projects: %w", err)
		}
		for _, p := range list.Projects {
			if p.ID != c.Project && p.Name != c.Project {
				continue
			}
			if err := server.Projects.DeleteProject(&account.ProjectAPIDeleteProjectRequest{ProjectID: p.ID}, scw.WithContext(ctx)); err != nil {
				return fmt.Errorf("delete project %s: %w", p.Name, err)
			}
			_, err := fmt.Fprintf(s.out, "project %s is deleted\n", p.Name)
			return err
		}
		return &remote.NotFoundError{Kind: "project", Reference: c.Project}
	})
}
