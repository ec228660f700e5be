package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

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
	return s.MakeProject(ctx, "", name, "")
}

// MakeProject makes a project in an organization; in that of the first project
// if none is given.
func (s *Service) MakeProject(ctx context.Context, organization, name, description string) (iam.Project, error) {
	if err := validProject(name, description); err != nil {
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
	if s.MaxProjects > 0 && len(all) >= s.MaxProjects {
		return iam.Project{}, &functions.Error{
			Code: functions.QuotaExceeded, Resource: "project", Quota: s.MaxProjects, Current: len(all),
			Message: fmt.Sprintf("quota exceeded: at most %d projects", s.MaxProjects),
		}
	}
	p := iam.Project{
		ID: s.NewID(), OrganizationID: cmp.Or(organization, all[0].OrganizationID), Name: name, Description: description, CreatedAt: s.Now(),
	}
	if err := nameIsFree(all, p); err != nil {
		return iam.Project{}, err
	}
	return p, s.Store.Update(ctx, func(tx functions.Tx) error { return tx.Put(p) })
}

func validProject(name, description string) error {
	switch {
	case name == "":
		return invalid("name", "required", "is required")
	case functions.ValidID(name):
		return invalid("name", "format", "must not look like the ID of a project")
	}
	if err := validText("name", name); err != nil {
		return err
	}
	return validText("description", description)
}

// nameIsFree checks that no other project has the name of p.
func nameIsFree(all []iam.Project, p iam.Project) error {
	for _, other := range all {
		if other.Name == p.Name && other.ID != p.ID {
			return &functions.Error{
				Code: functions.AlreadyExists, Resource: projectResource, ResourceID: other.ID,
				Message: "there is a project of that name: " + other.ID,
			}
		}
	}
	return nil
}

// UpdateProject changes the name and the description of a project, where they
// are not nil.
func (s *Service) UpdateProject(ctx context.Context, id string, name, description *string) (iam.Project, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, p, err := s.projectWithID(ctx, id)
	if err != nil {
		return iam.Project{}, err
	}
	if name != nil {
		p.Name = *name
	}
	if description != nil {
		p.Description = *description
	}
	if err := errors.Join(validProject(p.Name, p.Description), nameIsFree(all, p)); err != nil {
		return iam.Project{}, err
	}
	p.UpdatedAt = s.Now()
	return p, s.Store.Update(ctx, func(tx functions.Tx) error { return tx.Put(p) })
}

// DeleteProject deletes a project that has no namespaces and is the default
// project of no API key.
func (s *Service) DeleteProject(ctx context.Context, id string) (iam.Project, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, p, err := s.projectWithID(ctx, id)
	if err != nil {
		return iam.Project{}, err
	}
	keys, err := s.Store.APIKeys(ctx)
	if err != nil {
		return iam.Project{}, err
	}
	if slices.ContainsFunc(keys, func(k iam.APIKey) bool { return k.ProjectID == id }) {
		return iam.Project{}, notEmpty("the project is the default project of API keys: revoke them first")
	}
	return p, s.Store.Update(ctx, func(tx functions.Tx) error {
		_, count, err := tx.Namespaces(functions.Filter{ProjectID: id}, functions.Page{Number: 1, Size: 1})
		if err != nil {
			return err
		}
		if count > 0 {
			return notEmpty("the project has function namespaces: delete them first")
		}
		return tx.Delete(p)
	})
}

func notEmpty(help string) error {
	return &functions.Error{Code: functions.PreconditionFailed, Precondition: "project_is_empty", Message: help}
}

// projectWithID returns all projects, and the one with the ID.
func (s *Service) projectWithID(ctx context.Context, id string) ([]iam.Project, iam.Project, error) {
	all, err := s.Store.Projects(ctx)
	if err != nil {
		return nil, iam.Project{}, err
	}
	i := slices.IndexFunc(all, func(p iam.Project) bool { return p.ID == id })
	if i < 0 {
		return nil, iam.Project{}, functions.NotFoundError(projectResource, id)
	}
	return all, all[i], nil
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
