package regional

import (
	"slices"

	"github.com/scaleway/scaleway-sdk-go/scw"
	"github.com/scaleway/scaleway-sdk-go/validation"
)

// FunctionRegions returns the regions that offer functions (Scaleway's
// documentation of August 2026).
func FunctionRegions() []scw.Region {
	return []scw.Region{scw.RegionFrPar, scw.RegionNlAms, scw.RegionPlWaw}
}

// WellFormed reports whether s has the form of a region. A well-formed region that
// is not in FunctionRegions may be newer than this program.
func WellFormed(s string) bool {
	return validation.IsRegion(s)
}

// Known reports whether the region is one of FunctionRegions.
func Known(region string) bool {
	return slices.Contains(FunctionRegions(), scw.Region(region))
}
