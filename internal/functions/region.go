package functions

import "slices"

// Region is where an object lives; its ID is unique within all of them.
type Region string

// Regions are those in which Scaleway has functions.
var Regions = []Region{"fr-par", "nl-ams", "pl-waw"}

// Valid tells whether there are functions in the region.
func (r Region) Valid() bool { return slices.Contains(Regions, r) }

// A Scope is what a caller can see: the objects of its projects in one region.
// Every other object is answered as one that does not exist.
type Scope struct {
	Region Region
	// ProjectID is the caller's default project. A new namespace belongs to it
	// unless the request names another one.
	ProjectID      string
	OrganizationID string
	// Projects are the IDs of all projects that the caller can see. Nil means
	// ProjectID alone.
	Projects []string
}

// Covers reports whether the caller can see the project.
func (s Scope) Covers(projectID string) bool {
	if s.Projects == nil {
		return s.ProjectID == projectID
	}
	return slices.Contains(s.Projects, projectID)
}

func (s Scope) sees(region Region, projectID string) bool {
	return s.Region == region && s.Covers(projectID)
}
