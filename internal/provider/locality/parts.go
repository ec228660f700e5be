package locality

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/scaleway/scaleway-sdk-go/validation"

	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// partFunction is a provider function that returns a part of an ID, or a default if the
// ID lacks that part. The official provider has these functions as well.
type partFunction struct {
	name string
	// summary and returns are for the documentation.
	summary, returns string
	// problem is the predicate of the error message about an ID without the part.
	problem string
	// part returns the part of an ID, and false if the ID lacks it.
	part func(id string) (string, bool)
}

// NewRegionFromID returns the provider function region_from_id.
func NewRegionFromID() function.Function {
	return partFunction{
		name: "region_from_id", summary: "Get the region of an ID", returns: "the region of an ID in the form `region/uuid`",
		problem: "does not begin with a region", part: regionPart,
	}
}

// NewZoneFromID returns the provider function zone_from_id.
func NewZoneFromID() function.Function {
	return partFunction{
		name: "zone_from_id", summary: "Get the zone of an ID", returns: "the zone of an ID in the form `zone/uuid`",
		problem: "does not begin with a zone", part: zonePart,
	}
}

// NewIDFromRegionalID returns the provider function id_from_regional_id.
func NewIDFromRegionalID() function.Function {
	return partFunction{
		name: "id_from_regional_id", summary: "Get the UUID of a regional ID", returns: "the UUID of an ID in the form `region/uuid`. It returns a UUID unchanged",
		problem: "is not an ID in the form region/uuid", part: idPart(validation.IsRegion),
	}
}

// NewIDFromZonalID returns the provider function id_from_zonal_id.
func NewIDFromZonalID() function.Function {
	return partFunction{
		name: "id_from_zonal_id", summary: "Get the UUID of a zonal ID", returns: "the UUID of an ID in the form `zone/uuid`. It returns a UUID unchanged",
		problem: "is not an ID in the form zone/uuid", part: idPart(validation.IsZone),
	}
}

func regionPart(id string) (string, bool) {
	region, _, found := strings.Cut(id, "/")
	return region, found && validation.IsRegion(region)
}

func zonePart(id string) (string, bool) {
	zone, _, found := strings.Cut(id, "/")
	return zone, found && validation.IsZone(zone)
}

// idPart returns a function that returns the UUID of an ID whose locality is valid.
func idPart(isLocality func(string) bool) func(string) (string, bool) {
	return func(id string) (string, bool) {
		if validation.IsUUID(id) {
			return id, true
		}
		locality, rest, found := strings.Cut(id, "/")
		return rest, found && rest != "" && isLocality(locality)
	}
}

// Metadata implements function.Function.
func (f partFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = f.name
}

// Definition implements function.Function.
func (f partFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: f.summary,
		MarkdownDescription: "Returns " + f.returns + ". For any other ID, including null, it returns `default`; if `default` is null, it fails.\n\n" +
			"The official provider has the same function.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "id", AllowNullValue: true, MarkdownDescription: "The ID of a resource."},
			function.StringParameter{Name: "default", AllowNullValue: true, MarkdownDescription: "The result for an ID in another form. If null, the function fails instead."},
		},
		Return: function.StringReturn{},
	}
}

// Run implements function.Function.
func (f partFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var id, standard types.String
	resp.Error = req.Arguments.Get(ctx, &id, &standard)
	if resp.Error != nil {
		return
	}
	part, ok := f.part(id.ValueString())
	switch {
	case ok:
	case standard.IsNull():
		resp.Error = function.NewArgumentFuncError(0, fmt.Sprintf("%s %s: correct it, or pass a default", tfkit.Quote(id.ValueString()), f.problem))
		return
	default:
		part = standard.ValueString()
	}
	resp.Error = resp.Result.Set(ctx, part)
}
