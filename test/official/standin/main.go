// Command standin takes the place of the official provider in tests: it speaks protocol 5,
// like that one, and has one resource that Jeton's provider lacks, scaleway_object_bucket, and one that
// both have. It stores buckets as files in $STANDIN_DIR, with the settings that it was
// configured with.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	providerschema "github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
)

func main() {
	err := tf5server.Serve("registry.terraform.io/scaleway/scaleway", func() tfprotov5.ProviderServer {
		return oldServer{providerserver.NewProtocol5(standIn{})()}
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// oldServer has no capabilities, as providers on terraform-plugin-sdk/v2.
type oldServer struct{ tfprotov5.ProviderServer }

// GetProviderSchema implements tfprotov5.ProviderServer.
func (s oldServer) GetProviderSchema(ctx context.Context, req *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	resp, err := s.ProviderServer.GetProviderSchema(ctx, req)
	resp.ServerCapabilities = nil
	return resp, err
}

// PlanResourceChange implements tfprotov5.ResourceServer. It refuses the deletions that only
// providers with the capability expect.
func (s oldServer) PlanResourceChange(ctx context.Context, req *tfprotov5.PlanResourceChangeRequest) (*tfprotov5.PlanResourceChangeResponse, error) {
	if null, err := req.ProposedNewState.IsNull(); err != nil || null {
		return nil, errors.New("the deletion is planned by the provider")
	}
	return s.ProviderServer.PlanResourceChange(ctx, req)
}

// settings are what the provider was configured with.
type settings struct {
	AccessKey types.String `tfsdk:"access_key"`
	SecretKey types.String `tfsdk:"secret_key"`
	ProjectID types.String `tfsdk:"project_id"`
	APIURL    types.String `tfsdk:"api_url"`
	Profile   types.String `tfsdk:"profile"`
	Region    types.String `tfsdk:"region"`
	// Newer is a setting that Jeton's provider does not have.
	Newer types.String `tfsdk:"newer"`
}

type standIn struct{}

// Metadata implements provider.Provider.
func (standIn) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "scaleway"
}

// Schema implements provider.Provider.
func (standIn) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema.Attributes = map[string]providerschema.Attribute{}
	for _, name := range []string{"access_key", "secret_key", "project_id", "api_url", "profile", "region", "newer"} {
		resp.Schema.Attributes[name] = providerschema.StringAttribute{Optional: true}
	}
}

// Configure implements provider.Provider.
func (standIn) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var block settings
	resp.Diagnostics.Append(req.Config.Get(ctx, &block)...)
	if os.Getenv("STANDIN_DIR") == "" {
		resp.Diagnostics.AddError("No credentials", "The official provider has no credentials.")
	}
	resp.ResourceData = record{
		AccessKey: block.AccessKey.ValueString(), ProjectID: block.ProjectID.ValueString(), APIURL: block.APIURL.ValueString(),
		Profile: block.Profile.ValueString(), Region: block.Region.ValueString(),
		EnvironmentKey: os.Getenv("SCW_ACCESS_KEY"), EnvironmentURL: os.Getenv("SCW_API_URL"), Attachment: os.Getenv("JETON_TF_ATTACHMENT"),
	}
}

// DataSources implements provider.Provider.
func (standIn) DataSources(context.Context) []func() datasource.DataSource { return nil }

// Resources implements provider.Provider.
func (standIn) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		func() resource.Resource { return &object{name: "scaleway_object_bucket"} },
		func() resource.Resource { return &object{name: "scaleway_function_namespace"} },
	}
}

// record is what is stored of a bucket.
type record struct {
	Name, AccessKey, ProjectID, APIURL, Profile, Region, EnvironmentKey, EnvironmentURL, Attachment string
}

// object is a resource that is a file.
type object struct {
	name   string
	record record
}

type model struct {
	ID   types.String `tfsdk:"id"`
	Name types.String `tfsdk:"name"`
}

func (o *object) path(name string) string {
	return filepath.Join(os.Getenv("STANDIN_DIR"), o.name+"-"+name+".json")
}

// Metadata implements resource.Resource.
func (o *object) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = o.name
}

// Schema implements resource.Resource.
func (o *object) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema.Attributes = map[string]schema.Attribute{
		"id":   schema.StringAttribute{Computed: true, PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()}},
		"name": schema.StringAttribute{Required: true, PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()}},
	}
}

// Configure implements resource.ResourceWithConfigure.
func (o *object) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	o.record, _ = req.ProviderData.(record) // It is nil before the provider is configured.
}

// Create implements resource.Resource.
func (o *object) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	o.record.Name = m.Name.ValueString()
	content, err := json.Marshal(o.record)
	if err == nil {
		err = os.WriteFile(o.path(o.record.Name), content, 0o600)
	}
	if err != nil {
		resp.Diagnostics.AddError("Create a bucket", err.Error())
		return
	}
	m.ID = types.StringValue("fr-par/" + o.record.Name)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

// Read implements resource.Resource.
func (o *object) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if _, err := os.Stat(o.path(m.Name.ValueString())); errors.Is(err, fs.ErrNotExist) {
		resp.State.RemoveResource(ctx)
	}
}

// Update implements resource.Resource. Every change replaces a bucket.
func (o *object) Update(_ context.Context, _ resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.Diagnostics.AddError("Update a bucket", "Every change replaces it.")
}

// Delete implements resource.Resource.
func (o *object) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var m model
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if err := os.Remove(o.path(m.Name.ValueString())); err != nil {
		resp.Diagnostics.AddError("Delete a bucket", err.Error())
	}
}
