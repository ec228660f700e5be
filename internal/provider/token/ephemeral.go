package token

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

const (
	// The token is revoked when the run ends. Its ttl limits its lifetime if the run
	// is killed.
	defaultEphemeralTTL = time.Hour
	maxEphemeralTTL     = 24 * time.Hour
	// revokeTimeout bounds the revocation, which continues if the run is interrupted.
	revokeTimeout = 30 * time.Second
	// privateKey is the key of the private data that Open stores for Close.
	privateKey = "token"
)

// tokenEphemeral is the ephemeral resource scaleway_function_token.
type tokenEphemeral struct{ backend *tfkit.Backend }

var (
	_ ephemeral.EphemeralResourceWithClose          = (*tokenEphemeral)(nil)
	_ ephemeral.EphemeralResourceWithConfigure      = (*tokenEphemeral)(nil)
	_ ephemeral.EphemeralResourceWithValidateConfig = (*tokenEphemeral)(nil)
)

// NewEphemeral returns the ephemeral resource scaleway_function_token.
func NewEphemeral() ephemeral.EphemeralResource {
	return &tokenEphemeral{}
}

// ephemeralModel is the configuration and the result.
type ephemeralModel struct {
	FunctionID  types.String `tfsdk:"function_id"`
	NamespaceID types.String `tfsdk:"namespace_id"`
	Description types.String `tfsdk:"description"`
	TTL         types.String `tfsdk:"ttl"`
	Region      types.String `tfsdk:"region"`
	ID          types.String `tfsdk:"id"`
	ExpiresAt   types.String `tfsdk:"expires_at"`
	Token       types.String `tfsdk:"token"`
}

// openedToken is the private data that Close needs to revoke a token. It contains no
// secret.
type openedToken struct {
	ID        string `json:"id"`
	ExpiresAt string `json:"expires_at"`
}

// Metadata implements ephemeral.EphemeralResource.
func (*tokenEphemeral) Metadata(_ context.Context, _ ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = "scaleway_function_token"
}

// Configure implements ephemeral.EphemeralResourceWithConfigure.
func (e *tokenEphemeral) Configure(_ context.Context, req ephemeral.ConfigureRequest, _ *ephemeral.ConfigureResponse) {
	if configured, ok := req.ProviderData.(*tfkit.Backend); ok {
		e.backend = configured
	}
}

// Schema implements ephemeral.EphemeralResource.
func (*tokenEphemeral) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A token for one run of Terraform. It is created when Terraform needs it, revoked when the run ends, and stored in neither the plan nor the state.\n\n" +
			"`terraform plan` and `terraform apply` each create a token of their own. If a run is killed, its token stays valid until `ttl` has passed. " +
			"Requires Terraform 1.10 or OpenTofu 1.11.",
		Attributes: map[string]schema.Attribute{
			"function_id": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: functionDescription,
				Validators:          []validator.String{tfkit.OptionalReference()},
			},
			"namespace_id": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: namespaceDescription,
				Validators:          []validator.String{tfkit.OptionalReference()},
			},
			"description": schema.StringAttribute{Optional: true, MarkdownDescription: "The description of the token."},
			"ttl": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "The lifetime of the token, from `1m` to `24h`. It must be longer than the run, because a token cannot be renewed. " +
					"Defaults to `1h`.",
				Validators: []validator.String{durationBetween(minTTL, maxEphemeralTTL, "For a token that is valid after the run, use the resource scaleway_function_token.")},
			},
			"region": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The region of the token. Defaults to the region in `function_id` or `namespace_id`, or else to the provider's region.",
				Validators:          []validator.String{tfkit.RegionName()},
			},
			"id":         schema.StringAttribute{Computed: true, MarkdownDescription: "The ID of the token, in the form `region/uuid`."},
			"expires_at": schema.StringAttribute{Computed: true, MarkdownDescription: "The time when the token expires if it is not revoked before."},
			"token": schema.StringAttribute{
				Computed: true, Sensitive: true,
				MarkdownDescription: tokenDescription,
			},
		},
	}
}

// ValidateConfig implements ephemeral.EphemeralResourceWithValidateConfig.
func (*tokenEphemeral) ValidateConfig(ctx context.Context, req ephemeral.ValidateConfigRequest, resp *ephemeral.ValidateConfigResponse) {
	var m ephemeralModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if !resp.Diagnostics.HasError() {
		checkScope(m.FunctionID, m.NamespaceID, &resp.Diagnostics)
	}
}

// Open implements ephemeral.EphemeralResource. It creates the token.
func (e *tokenEphemeral) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var m ephemeralModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	scope := readScope(e.backend, m.Region, m.FunctionID, m.NamespaceID, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	created, err := e.create(ctx, scope, &m)
	if err != nil {
		e.backend.AddCreateError(&resp.Diagnostics, "Cannot create the function token", err, scopeAttribute(scope.FunctionID), "")
		return
	}
	id := regional.ID{Region: scope.Region, UUID: created.ID}
	m.Region = types.StringValue(id.Region.String())
	m.ID = types.StringValue(id.String())
	m.ExpiresAt = tfkit.Instant(created.ExpiresAt)
	m.Token = types.StringValue(created.Token)
	opened := openedToken{ID: id.String(), ExpiresAt: m.ExpiresAt.ValueString()}
	if err := awaitReady(ctx, e.backend, id, created); err != nil {
		e.backend.AddError(&resp.Diagnostics, "The function token did not become ready", err)
		// Terraform does not call Close after Open has failed.
		e.revoke(ctx, opened, &resp.Diagnostics)
		return
	}
	if e.storePrivate(ctx, opened, resp); resp.Diagnostics.HasError() {
		e.revoke(ctx, opened, &resp.Diagnostics)
		return
	}
	resp.Diagnostics.Append(resp.Result.Set(ctx, &m)...)
}

// storePrivate stores the private data for Close.
func (*tokenEphemeral) storePrivate(ctx context.Context, opened openedToken, resp *ephemeral.OpenResponse) {
	private, err := json.Marshal(opened)
	if err != nil {
		resp.Diagnostics.AddError("Cannot store the ID of the function token", tfkit.Sentence(err))
		return
	}
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, privateKey, private)...)
}

func (e *tokenEphemeral) create(ctx context.Context, scope scope, m *ephemeralModel) (*sdk.Token, error) {
	ttl, configured := durationOf(m.TTL)
	if !configured {
		ttl = defaultEphemeralTTL
	}
	//nolint:staticcheck // Scaleway deprecated these tokens in November 2025; this resource creates them.
	return e.backend.API().CreateToken(&sdk.CreateTokenRequest{
		Region:      scope.Region,
		FunctionID:  scope.FunctionID,
		NamespaceID: scope.NamespaceID,
		Description: tfkit.OptionalString(m.Description),
		ExpiresAt:   new(e.backend.Now().Add(ttl)),
	}, client.Context(ctx))
}

// Close implements ephemeral.EphemeralResourceWithClose. It revokes the token.
func (e *tokenEphemeral) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	private, diags := req.Private.GetKey(ctx, privateKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	var opened openedToken
	if err := json.Unmarshal(private, &opened); err != nil {
		resp.Diagnostics.AddError("Cannot read the ID of the function token to revoke", tfkit.Sentence(err))
		return
	}
	e.revoke(ctx, opened, &resp.Diagnostics)
}

// revoke deletes the token, also if ctx is canceled. A failure is a warning, because
// the work of the run is done; it names the token and the time when it expires.
func (e *tokenEphemeral) revoke(ctx context.Context, opened openedToken, diags *diag.Diagnostics) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	id, err := regional.Parse(opened.ID)
	if err == nil {
		err = e.backend.DeleteToken(ctx, id)
	}
	if err != nil {
		diags.AddWarning("Cannot revoke the function token of this run",
			fmt.Sprintf("Token %s stays valid until %s. %s Delete it manually, or let it expire.", opened.ID, opened.ExpiresAt, tfkit.Sentence(err)))
	}
}
