package admin

import (
	"context"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// errNoProject refuses what goes by the first project, which the server makes when it
// starts.
var errNoProject = &functions.Error{
	Code: functions.NotFound, Resource: projectResource,
	Message: "there is no project: restart the server, which makes the first one and its API key",
}

// Projects returns all projects, oldest first.
func (s *Service) Projects(ctx context.Context) ([]iam.Project, error) {
	return s.Store.Projects(ctx)
}

// CreateProject makes a project in the organization of the first one.
func (s *Service) CreateProject(ctx context.Context, name string) (iam.Project, error) {
	if name == "" {
		return iam.Project{}, invalid("name", "required", "is required")
	}
	if functions.ValidID(name) {
		return iam.Project{}, invalid("name", "format", "must not look like the ID of a project")
	}
	if err := validText("name", name); err != nil {
		return iam.Project{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.Store.Projects(ctx)
	if err != nil {
		return iam.Project{}, err
	}
	if len(all) == 0 {
		return iam.Project{}, errNoProject
	}
	p := iam.Project{ID: s.NewID(), OrganizationID: all[0].OrganizationID, Name: name, CreatedAt: s.Now()}
	for _, other := range all {
		if other.Name == name {
			return iam.Project{}, &functions.Error{
				Code: functions.AlreadyExists, Resource: projectResource, ResourceID: other.ID,
				Message: "there is a project of that name: " + other.ID,
			}
		}
	}
	return p, s.Store.Update(ctx, func(tx functions.Tx) error { return tx.Put(p) })
}

// project finds a project by its ID or its name; the first one, which the
// server has made, if neither is given.
func (s *Service) project(ctx context.Context, idOrName string) (iam.Project, error) {
	all, err := s.Store.Projects(ctx)
	if err != nil {
		return iam.Project{}, err
	}
	for _, p := range all {
		if idOrName == "" || idOrName == p.ID || idOrName == p.Name {
			return p, nil
		}
	}
	return iam.Project{}, functions.NotFoundError(projectResource, idOrName)
}
