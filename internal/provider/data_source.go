package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
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
	return schema.StringAttribute{
		Optional: true, Computed: true,
		MarkdownDescription: description,
		Validators:          []validator.String{regionName()},
	}
}
