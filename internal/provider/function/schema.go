package function

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// The defaults of the official provider. The service has another default for max_scale.
const (
	defaultMinScale    = 0
	defaultMaxScale    = 20
	defaultMemoryLimit = 256
	defaultHTTPOption  = "enabled"
)

// timeout is the timeout of each operation, as in the official provider.
const timeout = 15 * time.Minute

// Schema implements resource.Resource.
func (*functionResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = resourceSchema()
}

func resourceSchema() schema.Schema {
	attributes := map[string]schema.Attribute{
		"id": tfkit.IDAttribute("function"),
		"namespace_id": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "The ID of the namespace of the function. Changing this replaces the function.",
			Validators:          []validator.String{tfkit.Reference()},
			PlanModifiers:       []planmodifier.String{spelling.String(spelling.Reference), tfkit.ReplaceUnless(spelling.Reference)},
		},
		"name": tfkit.ReplacingAttribute("The name of the function, at most 34 characters and unique in the namespace. Defaults to a generated name. Changing this replaces the function.",
			nameValidators()...),
		"description":                  tfkit.DescriptionAttribute("function"),
		"tags":                         tfkit.TagsAttribute("function"),
		"environment_variables":        tfkit.EnvironmentAttribute("function"),
		"secret_environment_variables": tfkit.SecretsAttribute("function"),
		tfkit.WriteOnlySecrets:         tfkit.WriteOnlySecretsAttribute("function"),
		tfkit.WriteOnlySecretsVersion:  tfkit.WriteOnlySecretsVersionAttribute(),
		"domain_name":                  tfkit.StableAttribute("The hostname of the function."),
		"url":                          tfkit.StableAttribute("The URL of the function: `https://` and its `domain_name` at Scaleway; on a Jeton server, the address at the gateway that works from everywhere, such as `http://127.0.0.1:8081/functions/ID`."),
		"region":                       tfkit.RegionAttribute("function"),
		"project_id":                   tfkit.ReplacingAttribute("The UUID of the project, which must be the project of the namespace.", tfkit.UUID()),
		"organization_id":              tfkit.StableAttribute("The UUID of the organization that owns the project."),
	}
	for name, attribute := range codeAttributes() {
		attributes[name] = attribute
	}
	for name, attribute := range executionAttributes() {
		attributes[name] = attribute
	}
	return schema.Schema{
		MarkdownDescription: "A function: code that runs for each HTTP request to its URL. Calls of a private function need a token, see `scaleway_function_token`.",
		Attributes:          attributes,
		Blocks:              map[string]schema.Block{"timeouts": tfkit.TimeoutsBlock(timeout)},
	}
}

// codeAttributes returns the attributes for the code and its deployment.
func codeAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"runtime": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "The runtime, for example `go126`, `node24` or `python314`.",
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"handler": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "The handler that the runtime calls, for example `Handle` for Go or `handler.handle` for Node and Python.",
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"zip_file": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "The path of a zip archive with the code. It is uploaded when its content changes, or when `zip_hash` changes if that is set. " +
				"The times, order and compression of the entries do not count as content.",
			Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"zip_hash": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "An arbitrary string. If it is set, the archive is uploaded when the string changes, and not when the content of the archive changes. " +
				"Use it, for example with a hash of the source code, if builds of the same code produce different archives.",
			Validators: []validator.String{stringvalidator.AlsoRequires(path.MatchRoot("zip_file"))},
		},
		zipDigest: schema.StringAttribute{
			Computed: true,
			MarkdownDescription: "The SHA-256 digest of the uploaded archive, in hexadecimal. Null if `zip_hash` is set. " +
				"For a function that the official provider created, it is the digest of `zip_file` at the first refresh.",
		},
		statusAttribute: schema.StringAttribute{
			Computed: true,
			MarkdownDescription: "The status of the function at the last refresh, for example `ready`. `error` means that the last deployment failed: " +
				"if `zip_file` and `deploy` are set, the next apply deploys the function again.",
		},
		"deploy": schema.BoolAttribute{
			Optional:            true,
			Computed:            true,
			MarkdownDescription: "Whether to build and deploy the uploaded code. Defaults to `false`.",
			PlanModifiers:       []planmodifier.Bool{spelling.Switch()},
		},
	}
}

// executionAttributes returns the attributes for access, scaling and resources.
func executionAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"privacy": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "Who may call the function: `public` (everyone) or `private` (callers with a token).",
			Validators:          []validator.String{stringvalidator.OneOf("public", "private")},
		},
		"http_option": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(defaultHTTPOption),
			MarkdownDescription: "How to handle HTTP requests: `enabled` serves them, `redirected` redirects them to HTTPS. Defaults to `" + defaultHTTPOption + "`.",
			Validators:          []validator.String{stringvalidator.OneOf("enabled", "redirected")},
		},
		"sandbox": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "The execution environment of the instances: `v1` or `v2`. Defaults to the choice of the service.",
			Validators:          []validator.String{stringvalidator.OneOf("v1", "v2")},
			PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
		},
		"min_scale": number("The minimum number of instances. Defaults to `0`.", defaultMinScale, int64validator.Between(0, maxNumber)),
		"max_scale": number("The maximum number of instances. Defaults to `20`.", defaultMaxScale, int64validator.Between(1, maxNumber)),
		"memory_limit": number("The memory of an instance in MB: `128`, `256`, `512`, `1024`, `2048`, `3072` or `4096`. Defaults to `256`.",
			defaultMemoryLimit, int64validator.OneOf(128, 256, 512, 1024, 2048, 3072, 4096)),
		"cpu_limit": schema.Int64Attribute{
			Computed:            true,
			MarkdownDescription: "The CPU limit of an instance in mCPU (thousandths of a CPU). It depends on `memory_limit`.",
			PlanModifiers:       []planmodifier.Int64{keepCPULimit{}},
		},
		"timeout": schema.Int64Attribute{
			Optional: true, Computed: true,
			MarkdownDescription: "The maximum duration of a call in seconds. Defaults to `300`, the default of the service.",
			Validators:          []validator.Int64{int64validator.Between(1, maxNumber)},
			PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
		},
		"private_network_id": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "The ID of the private network to attach the instances to.",
			Validators:          []validator.String{tfkit.OptionalReference()},
			PlanModifiers:       []planmodifier.String{spelling.String(spelling.Reference)},
		},
	}
}

// number returns an optional number with a default.
func number(description string, standard int64, v validator.Int64) schema.Attribute {
	return schema.Int64Attribute{
		Optional:            true,
		Computed:            true,
		Default:             int64default.StaticInt64(standard),
		MarkdownDescription: description,
		Validators:          []validator.Int64{v},
	}
}

// keepCPULimit keeps cpu_limit unless memory_limit changes.
type keepCPULimit struct{}

func (keepCPULimit) Description(context.Context) string {
	return "The CPU limit changes only with the memory limit."
}

func (m keepCPULimit) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

func (keepCPULimit) PlanModifyInt64(ctx context.Context, req planmodifier.Int64Request, resp *planmodifier.Int64Response) {
	if req.State.Raw.IsNull() {
		return
	}
	var before, after types.Int64
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("memory_limit"), &before)...)
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("memory_limit"), &after)...)
	if before.Equal(after) {
		resp.PlanValue = req.StateValue
	}
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (*functionResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	tfkit.CheckSecrets(m.SecretEnvironmentVariables, m.SecretsWO, &resp.Diagnostics)
	checkHandler(m.Runtime, m.Handler, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || m.MinScale.IsUnknown() || m.MaxScale.IsUnknown() {
		return
	}
	maximum, byDefault := m.MaxScale.ValueInt64(), ""
	if m.MaxScale.IsNull() {
		maximum, byDefault = defaultMaxScale, " by default"
	}
	if minimum := m.MinScale.ValueInt64(); minimum > maximum {
		resp.Diagnostics.AddAttributeError(path.Root("min_scale"), "min_scale is greater than max_scale",
			fmt.Sprintf("min_scale is %d and max_scale is %d%s: lower min_scale or raise max_scale.", minimum, maximum, byDefault))
	}
}

func nameValidators() []validator.String {
	return []validator.String{
		stringvalidator.LengthAtMost(grammar.MaxFunctionName),
		tfkit.StringRule("lower-case letters, digits and hyphens that begin and end with a letter or digit", "Invalid function name", func(text string) string {
			if grammar.IsFunctionName(text) {
				return ""
			}
			return tfkit.Quote(text) + " is not a valid function name: use lower-case letters, digits and hyphens, and begin and end with a letter or digit."
		}),
	}
}

// maxNumber is the maximum of the API's numbers. The service checks limits that the
// operator of a server can change.
const maxNumber = math.MaxInt32
