package regional

import (
	"slices"

	"github.com/scaleway/scaleway-sdk-go/scw"
	"github.com/scaleway/scaleway-sdk-go/validation"
)

// FunctionRegions are the regions that serve functions, from Scaleway's
// documentation of August 2026.
func FunctionRegions() []scw.Region {
	return []scw.Region{scw.RegionFrPar, scw.RegionNlAms, scw.RegionPlWaw}
}

// WellFormed reports whether s looks like a region. A region that looks right
// and is not among FunctionRegions may be newer than this program.
func WellFormed(s string) bool {
	return validation.IsRegion(s)
}

// Known reports whether the region is one of FunctionRegions.
func Known(region string) bool {
	return slices.Contains(FunctionRegions(), scw.Region(region))
}
