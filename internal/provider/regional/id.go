package regional

import (
	"fmt"
	"strings"

	"github.com/scaleway/scaleway-sdk-go/scw"
	"github.com/scaleway/scaleway-sdk-go/validation"
)

// ID identifies an object within a region.
type ID struct {
	Region scw.Region
	UUID   string
}

// Parse parses "region/uuid" and returns an error for any other form. Both parts
// become part of a URL's path, so the check is strict.
func Parse(s string) (ID, error) {
	region, uuid, found := strings.Cut(s, "/")
	if !found || !validation.IsRegion(region) || !validation.IsUUID(uuid) {
		return ID{}, fmt.Errorf("%q is not an id of the form region/uuid: write it like fr-par/11111111-1111-1111-1111-111111111111", s)
	}
	return ID{Region: scw.Region(region), UUID: strings.ToLower(uuid)}, nil
}

// ParseReference parses "region/uuid" or a bare uuid, whose region is fallback.
func ParseReference(s string, fallback scw.Region) (ID, error) {
	if validation.IsUUID(s) {
		return ID{Region: fallback, UUID: strings.ToLower(s)}, nil
	}
	id, err := Parse(s)
	if err != nil {
		return ID{}, fmt.Errorf("%q is neither an id of the form region/uuid nor a uuid: write it like fr-par/11111111-1111-1111-1111-111111111111", s)
	}
	return id, nil
}

// String returns "region/uuid".
func (id ID) String() string {
	return id.Region.String() + "/" + id.UUID
}

// Bare returns a reference without its region. It returns a reference without a
// region unchanged.
func Bare(reference string) string {
	return reference[strings.LastIndexByte(reference, '/')+1:]
}
