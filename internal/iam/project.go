package iam

import "time"

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
