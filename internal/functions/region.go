package functions

import "slices"

// Region is the region of an object. IDs are unique across all regions.
type Region string

// Regions are the regions in which Scaleway offers functions.
var Regions = []Region{"fr-par", "nl-ams", "pl-waw"}

// Valid reports whether the region is one of Regions.
func (r Region) Valid() bool { return slices.Contains(Regions, r) }

// A Scope is what a caller can access: the objects of its projects in one region. For
// other objects, the caller gets the same error as for objects that do not exist.
type Scope struct {
	Region Region
	// ProjectID is the caller's default project, to which a new namespace belongs
	// unless the request names another project.
	ProjectID      string
	OrganizationID string
	// Projects are the IDs of all projects that the caller can access. Nil means
	// only ProjectID.
	Projects []string
}

// Covers reports whether the caller can access the project.
func (s Scope) Covers(projectID string) bool {
	if s.Projects == nil {
		return s.ProjectID == projectID
	}
	return slices.Contains(s.Projects, projectID)
}

func (s Scope) sees(region Region, projectID string) bool {
	return s.Region == region && s.Covers(projectID)
}
