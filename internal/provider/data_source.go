package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// dataSource is what all data sources have in common: a type name and the
// configured provider.
type dataSource struct {
	typeName string
	backend  *backend
}

// Metadata implements datasource.DataSource.
func (d *dataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = d.typeName
}

// Configure implements datasource.DataSourceWithConfigure. Terraform validates
// configurations without configuring the provider; there is no data then.
func (d *dataSource) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	if configured, ok := req.ProviderData.(*backend); ok {
		d.backend = configured
	}
}

// computedText is an attribute of a data source that the service decides.
func computedText(description string) schema.Attribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

// dataRegion is the region that a data source looks in.
func dataRegion(description string) schema.Attribute {
	return dataArgument(description, regionName())
}

// dataArgument is what a data source looks for; where it is left out, it shows
// what was found.
func dataArgument(description string, validators ...validator.String) schema.Attribute {
	return schema.StringAttribute{Optional: true, Computed: true, MarkdownDescription: description, Validators: validators}
}

func dataReference(description string) schema.Attribute {
	return dataArgument(description, optionalReference())
}

func computedNumber(description string) schema.Attribute {
	return schema.Int64Attribute{Computed: true, MarkdownDescription: description}
}

func computedTexts(description string) schema.Attribute {
	return schema.ListAttribute{ElementType: types.StringType, Computed: true, MarkdownDescription: description}
}

func computedMap(description string) schema.Attribute {
	return schema.MapAttribute{ElementType: types.StringType, Computed: true, MarkdownDescription: description}
}

// computedHashes is the secret variables of an object as the service shows them. A
// hash is not marked as sensitive: the official provider's data sources mark none,
// and outputs of whole objects would have to be.
func computedHashes(noun string) schema.Attribute {
	return schema.MapAttribute{
		ElementType: types.StringType, Computed: true,
		MarkdownDescription: "The argon2id hashes of the secret environment variables of the " + noun + ".",
	}
}
