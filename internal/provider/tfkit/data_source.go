package tfkit

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// BaseDataSource is what all data sources have in common: a type name and the
// configured provider.
type BaseDataSource struct {
	TypeName string
	Backend  *Backend
}

// Metadata implements datasource.DataSource.
func (d *BaseDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = d.TypeName
}

// Configure implements datasource.DataSourceWithConfigure. Terraform validates
// configurations without configuring the provider; there is no data then.
func (d *BaseDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	if configured, ok := req.ProviderData.(*Backend); ok {
		d.Backend = configured
	}
}

// DataString is an attribute of a data source that the service decides.
func DataString(description string) schema.Attribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

// DataRegion is the region that a data source looks in.
func DataRegion(description string) schema.Attribute {
	return DataArgument(description, RegionName())
}

// DataArgument is what a data source looks for; where it is left out, it shows
// what was found.
func DataArgument(description string, validators ...validator.String) schema.Attribute {
	return schema.StringAttribute{Optional: true, Computed: true, MarkdownDescription: description, Validators: validators}
}

func DataReference(description string) schema.Attribute {
	return DataArgument(description, OptionalReference())
}

func DataNumber(description string) schema.Attribute {
	return schema.Int64Attribute{Computed: true, MarkdownDescription: description}
}

func DataStrings(description string) schema.Attribute {
	return schema.ListAttribute{ElementType: types.StringType, Computed: true, MarkdownDescription: description}
}

func DataMap(description string) schema.Attribute {
	return schema.MapAttribute{ElementType: types.StringType, Computed: true, MarkdownDescription: description}
}

// DataHashes is the secret variables of an object as the service shows them. A
// hash is not marked as sensitive: the official provider's data sources mark none,
// and outputs of whole objects would have to be.
func DataHashes(noun string) schema.Attribute {
	return schema.MapAttribute{
		ElementType: types.StringType, Computed: true,
		MarkdownDescription: "The argon2id hashes of the secret environment variables of the " + noun + ".",
	}
}
