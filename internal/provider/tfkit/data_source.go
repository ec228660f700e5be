package tfkit

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// BaseDataSource implements the parts of a data source that are the same for all.
type BaseDataSource struct {
	TypeName string
	// Backend is nil while Terraform validates a configuration.
	Backend *Backend
}

// Metadata implements datasource.DataSource.
func (d *BaseDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = d.TypeName
}

// Configure implements datasource.DataSourceWithConfigure. The request has no data
// when Terraform validates a configuration.
func (d *BaseDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	if configured, ok := req.ProviderData.(*Backend); ok {
		d.Backend = configured
	}
}

// DataArgument is an optional argument of a data source. If it is not configured, it
// has the value of the object that was found.
func DataArgument(description string, validators ...validator.String) schema.Attribute {
	return schema.StringAttribute{Optional: true, Computed: true, MarkdownDescription: description, Validators: validators}
}

// DataRegion is the argument region of a data source.
func DataRegion(description string) schema.Attribute {
	return DataArgument(description, RegionName())
}

// DataReference is an argument for the ID of an object.
func DataReference(description string) schema.Attribute {
	return DataArgument(description, OptionalReference())
}

// DataString is a computed string of a data source.
func DataString(description string) schema.Attribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

// DataNumber is a computed number of a data source.
func DataNumber(description string) schema.Attribute {
	return schema.Int64Attribute{Computed: true, MarkdownDescription: description}
}

// DataStrings is a computed list of strings of a data source.
func DataStrings(description string) schema.Attribute {
	return schema.ListAttribute{ElementType: types.StringType, Computed: true, MarkdownDescription: description}
}

// DataMap is a computed map of strings of a data source.
func DataMap(description string) schema.Attribute {
	return schema.MapAttribute{ElementType: types.StringType, Computed: true, MarkdownDescription: description}
}

// DataHashes is the hashes of the secret environment variables of an object. It is
// not sensitive, as in the official provider; otherwise outputs of whole objects would
// have to be sensitive too.
func DataHashes(noun string) schema.Attribute {
	return schema.MapAttribute{
		ElementType: types.StringType, Computed: true,
		MarkdownDescription: "The Argon2id hashes of the secret environment variables of the " + noun + ".",
	}
}
