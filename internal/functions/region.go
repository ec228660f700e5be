package functions

import "slices"

// Region is where an object lives; its ID is unique within all of them.
type Region string

// Regions are those in which Scaleway has functions.
var Regions = []Region{"fr-par", "nl-ams", "pl-waw"}

// Valid tells whether there are functions in the region.
func (r Region) Valid() bool { return slices.Contains(Regions, r) }

// A Scope is how far a call can see: the objects of one project in one region.
// Everything outside of it is answered as a thing that is not there.
type Scope struct {
	Region         Region
	ProjectID      string
	OrganizationID string
}

func (s Scope) sees(region Region, projectID string) bool {
	return s.Region == region && s.ProjectID == projectID
}
