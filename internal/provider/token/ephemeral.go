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
	// defaultRunTTL and mostRunTTL bound the life of a token that lives for one
	// run. It is revoked when the run ends; the end of its life is the safety net
	// for a run that is killed.
	defaultEphemeralTTL = time.Hour
	maxEphemeralTTL     = 24 * time.Hour
	// revokeTimeout is how long a revocation may take that goes on after the run
	// was interrupted.
	revokeTimeout = 30 * time.Second
	// openedToken is the key under which Close finds what Open has made.
	openedToken = "token"
)

// tokenEphemeral is the ephemeral scaleway_function_token.
type tokenEphemeral struct{ backend *tfkit.Backend }

var (
	_ ephemeral.EphemeralResourceWithClose          = (*tokenEphemeral)(nil)
	_ ephemeral.EphemeralResourceWithConfigure      = (*tokenEphemeral)(nil)
	_ ephemeral.EphemeralResourceWithValidateConfig = (*tokenEphemeral)(nil)
)

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

// opened is what Close needs to know of a token. It holds no secret.
type opened struct {
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
		MarkdownDescription: "A token for the time of one run: made when Terraform needs it, revoked when the run ends, and never in a plan or a state. " +
			"Terraform opens it in `plan` and again in `apply`, so each makes a token of its own. " +
			"A run that is killed cannot revoke its token, which then expires after `ttl`. Needs Terraform 1.10 or OpenTofu 1.11.",
		Attributes: map[string]schema.Attribute{
			"function_id": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "The function that the token opens. Exactly one of `function_id` and `namespace_id` is set.",
				Validators:          []validator.String{tfkit.OptionalReference()},
			},
			"namespace_id": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "The namespace whose functions the token opens. Exactly one of `function_id` and `namespace_id` is set.",
				Validators:          []validator.String{tfkit.OptionalReference()},
			},
			"description": schema.StringAttribute{Optional: true, MarkdownDescription: "A description of the token."},
			"ttl": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "How long the token lives if the run cannot revoke it, from `1m` to `24h`; write more than the run takes. " +
					"The token cannot be prolonged. `1h` by default.",
				Validators: []validator.String{durationBetween(minTTL, maxEphemeralTTL, "For a token that outlives the run, use the resource scaleway_function_token.")},
			},
			"region": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The region; that of `function_id` or `namespace_id` if they name one, or else the provider's.",
				Validators:          []validator.String{tfkit.RegionName()},
			},
			"id":         schema.StringAttribute{Computed: true, MarkdownDescription: "The id of the token, of the form `region/uuid`."},
			"expires_at": schema.StringAttribute{Computed: true, MarkdownDescription: "When the token stops to open anything, if it is not revoked before."},
			"token": schema.StringAttribute{
				Computed: true, Sensitive: true,
				MarkdownDescription: "The token, to be sent as the header `X-Auth-Token`.",
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

// Open implements ephemeral.EphemeralResource: it makes the token.
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
	made, err := e.create(ctx, scope, &m)
	if err != nil {
		e.backend.AddCreateError(&resp.Diagnostics, "Cannot create the function token", err, scopeAttribute(scope.FunctionID), "")
		return
	}
	id := regional.ID{Region: scope.Region, UUID: made.ID}
	m.Region = types.StringValue(id.Region.String())
	m.ID = types.StringValue(id.String())
	m.ExpiresAt = tfkit.Instant(made.ExpiresAt)
	m.Token = types.StringValue(made.Token)
	left := opened{ID: id.String(), ExpiresAt: m.ExpiresAt.ValueString()}
	if err := awaitReady(ctx, e.backend, id, made); err != nil {
		e.backend.AddError(&resp.Diagnostics, "The function token did not become ready", err)
		// Terraform closes nothing that did not open.
		e.revoke(ctx, left, &resp.Diagnostics)
		return
	}
	if e.remember(ctx, left, resp); resp.Diagnostics.HasError() {
		e.revoke(ctx, left, &resp.Diagnostics)
		return
	}
	resp.Diagnostics.Append(resp.Result.Set(ctx, &m)...)
}

// remember leaves a note for Close.
func (*tokenEphemeral) remember(ctx context.Context, left opened, resp *ephemeral.OpenResponse) {
	private, err := json.Marshal(left)
	if err != nil {
		resp.Diagnostics.AddError("Cannot remember the function token", tfkit.Sentence(err))
		return
	}
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, openedToken, private)...)
}

func (e *tokenEphemeral) create(ctx context.Context, scope scope, m *ephemeralModel) (*sdk.Token, error) {
	ttl, configured := durationOf(m.TTL)
	if !configured {
		ttl = defaultEphemeralTTL
	}
	//nolint:staticcheck // Scaleway announced the end of these tokens in November 2025, and this is about them.
	return e.backend.API().CreateToken(&sdk.CreateTokenRequest{
		Region:      scope.Region,
		FunctionID:  scope.FunctionID,
		NamespaceID: scope.NamespaceID,
		Description: tfkit.OptionalString(m.Description),
		ExpiresAt:   new(e.backend.Now().Add(ttl)),
	}, client.Context(ctx))
}

// Close implements ephemeral.EphemeralResourceWithClose: it revokes the token.
func (e *tokenEphemeral) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	private, diags := req.Private.GetKey(ctx, openedToken)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	var left opened
	if err := json.Unmarshal(private, &left); err != nil {
		resp.Diagnostics.AddError("Cannot tell which function token to revoke", tfkit.Sentence(err))
		return
	}
	e.revoke(ctx, left, &resp.Diagnostics)
}

// revoke takes the token back. A failure is a warning, because what the run was
// for is done: it says which token is left, and for how long. An interrupted run
// revokes all the same.
func (e *tokenEphemeral) revoke(ctx context.Context, left opened, diags *diag.Diagnostics) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	id, err := regional.Parse(left.ID)
	if err == nil {
		err = e.backend.DeleteToken(ctx, id)
	}
	if err != nil {
		diags.AddWarning("The function token of this run is not revoked",
			fmt.Sprintf("Token %s stays valid until %s. %s Revoke it by hand, or let it expire.", left.ID, left.ExpiresAt, tfkit.Sentence(err)))
	}
}
