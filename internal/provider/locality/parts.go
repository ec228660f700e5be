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

// localityFunction is a function of the official provider that takes a part of an
// id, or returns a default where the id lacks that part.
type localityFunction struct {
	// name is the function's.
	name string
	// summary and returns describe it: what it is about, and what it returns.
	summary, returns string
	// lacks says what an id without the part is not.
	lacks string
	// part returns the part of an id, and false if the id lacks it.
	part func(id string) (string, bool)
}

func NewRegionFromID() function.Function {
	return localityFunction{
		name: "region_from_id", summary: "The region of an id", returns: "the region of an id of the form `region/uuid`",
		lacks: "names no region", part: regionPart,
	}
}

func NewZoneFromID() function.Function {
	return localityFunction{
		name: "zone_from_id", summary: "The zone of an id", returns: "the zone of an id of the form `zone/uuid`",
		lacks: "names no zone", part: zonePart,
	}
}

func NewIDFromRegionalID() function.Function {
	return localityFunction{
		name: "id_from_regional_id", summary: "The uuid of a regional id", returns: "the uuid of an id of the form `region/uuid`, and a uuid unchanged",
		lacks: "is not an id of the form region/uuid", part: idPart(validation.IsRegion),
	}
}

func NewIDFromZonalID() function.Function {
	return localityFunction{
		name: "id_from_zonal_id", summary: "The uuid of a zonal id", returns: "the uuid of an id of the form `zone/uuid`, and a uuid unchanged",
		lacks: "is not an id of the form zone/uuid", part: idPart(validation.IsZone),
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
func (f localityFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = f.name
}

// Definition implements function.Function.
func (f localityFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: f.summary,
		MarkdownDescription: "Returns " + f.returns + ". For any other id, null included, it returns `default`, and fails if that is null.\n\n" +
			"The official provider has this function as well.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "id", AllowNullValue: true, MarkdownDescription: "The id of a resource."},
			function.StringParameter{Name: "default", AllowNullValue: true, MarkdownDescription: "What to return for an id of another form; null to fail."},
		},
		Return: function.StringReturn{},
	}
}

// Run implements function.Function.
func (f localityFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var id, otherwise types.String
	resp.Error = req.Arguments.Get(ctx, &id, &otherwise)
	if resp.Error != nil {
		return
	}
	part, ok := f.part(id.ValueString())
	switch {
	case ok:
	case otherwise.IsNull():
		resp.Error = function.NewArgumentFuncError(0, fmt.Sprintf("%s %s: correct it, or give a default", tfkit.Quote(id.ValueString()), f.lacks))
		return
	default:
		part = otherwise.ValueString()
	}
	resp.Error = resp.Result.Set(ctx, part)
}
