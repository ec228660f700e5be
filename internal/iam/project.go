package iam

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// A Project owns namespaces. It belongs to an organization.
type Project struct {
	ID             string
	OrganizationID string
	Name           string
	Description    string `json:",omitempty"`
	CreatedAt      time.Time
	// UpdatedAt is zero for a project that was never changed.
	UpdatedAt time.Time `json:",omitzero"`
}

// ObjectID returns the ID by which the store identifies the project.
func (p Project) ObjectID() string { return p.ID }

// NewProject returns a project. An empty organizationID means that BelongTo follows.
// Returns a FieldError for an invalid name or description.
func NewProject(id, organizationID, name, description string, now time.Time) (Project, error) {
	p := Project{ID: id, OrganizationID: organizationID, Name: name, Description: description, CreatedAt: now}
	if err := p.check(); err != nil {
		return Project{}, err
	}
	return p, nil
}

// BelongTo returns the project as a member of an organization. A project that has an
// organization keeps it.
func (p Project) BelongTo(organizationID string) Project {
	if p.OrganizationID == "" {
		p.OrganizationID = organizationID
	}
	return p
}

// Change returns the project with a new name and description, where they are not nil.
// Returns a FieldError for an invalid one.
func (p Project) Change(name, description *string, now time.Time) (Project, error) {
	if name != nil {
		p.Name = *name
	}
	if description != nil {
		p.Description = *description
	}
	p.UpdatedAt = now
	if err := p.check(); err != nil {
		return Project{}, err
	}
	return p, nil
}

// check validates the name, which commands accept in place of the ID, and the description.
func (p Project) check() error {
	switch {
	case p.Name == "":
		return &FieldError{"name", "required", "is required"}
	case len(p.Name) == 36 && uuid.Validate(p.Name) == nil && p.Name == strings.ToLower(p.Name):
		return &FieldError{"name", "format", "must not look like the ID of a project"}
	}
	if err := checkText("name", p.Name); err != nil {
		return err
	}
	return checkText("description", p.Description)
}
