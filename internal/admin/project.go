package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// errNoProject is returned if the first project, which the server creates when it
// starts, does not exist.
var errNoProject = &functions.Error{
	Code: functions.NotFound, Resource: projectResource,
	Message: "there is no project: restart the server, which creates the first one and its API key",
}

// Projects returns all projects, oldest first.
func (s *Service) Projects(ctx context.Context) ([]iam.Project, error) {
	return view(ctx, s.config.Store, store.Tx.Projects)
}

// CreateProject creates a project in the organization of the first one.
func (s *Service) CreateProject(ctx context.Context, name string) (iam.Project, error) {
	return s.CreateProjectIn(ctx, "", name, "")
}

// CreateProjectIn creates a project in an organization, or in that of the first project
// if organization is empty.
func (s *Service) CreateProjectIn(ctx context.Context, organization, name, description string) (iam.Project, error) {
	created, err := iam.NewProject(s.config.NewID(), organization, name, description, s.config.Now())
	if err != nil {
		return iam.Project{}, refused(err)
	}
	return update(ctx, s.config.Store, func(tx store.Tx) (iam.Project, error) {
		all, err := tx.Projects()
		if err != nil {
			return iam.Project{}, err
		}
		if len(all) == 0 {
			return iam.Project{}, errNoProject
		}
		if s.config.MaxProjects > 0 && len(all) >= s.config.MaxProjects {
			return iam.Project{}, &functions.Error{
				Code: functions.QuotaExceeded, Resource: "project", Quota: s.config.MaxProjects, Current: len(all),
				Message: fmt.Sprintf("quota exceeded: at most %d projects", s.config.MaxProjects),
			}
		}
		p := created.BelongTo(all[0].OrganizationID)
		if err := nameIsFree(all, p); err != nil {
			return iam.Project{}, err
		}
		return p, tx.Put(p)
	})
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
	now := s.config.Now()
	return update(ctx, s.config.Store, func(tx store.Tx) (iam.Project, error) {
		p, err := tx.Project(id)
		if err != nil {
			return p, err
		}
		if p, err = p.Change(name, description, now); err != nil {
			return p, refused(err)
		}
		all, err := tx.Projects()
		if err != nil {
			return p, err
		}
		if err := nameIsFree(all, p); err != nil {
			return p, err
		}
		return p, tx.Put(p)
	})
}

// DeleteProject deletes a project that has no namespaces and is the default
// project of no API key.
func (s *Service) DeleteProject(ctx context.Context, id string) (iam.Project, error) {
	return update(ctx, s.config.Store, func(tx store.Tx) (iam.Project, error) {
		p, err := tx.Project(id)
		if err != nil {
			return p, err
		}
		keys, err := tx.APIKeys()
		if err != nil {
			return p, err
		}
		if slices.ContainsFunc(keys, func(k iam.APIKey) bool { return k.ProjectID == id }) {
			return p, notEmpty("the project is the default project of API keys: revoke them first")
		}
		_, count, err := tx.Namespaces(functions.Filter{ProjectID: id}, functions.Page{Number: 1, Size: 1})
		if err != nil {
			return p, err
		}
		if count > 0 {
			return p, notEmpty("the project has function namespaces: delete them first")
		}
		return p, tx.Delete(p)
	})
}

func notEmpty(help string) error {
	return &functions.Error{Code: functions.PreconditionFailed, Precondition: "project_is_empty", Message: help}
}

// project returns the project with an ID or name; the first project, which the
// server has created, if the text is empty.
func project(tx store.Tx, idOrName string) (iam.Project, error) {
	all, err := tx.Projects()
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
