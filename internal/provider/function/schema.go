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

// What a function gets where nothing is configured: the official provider's
// defaults, which for max_scale is not the service's.
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
			MarkdownDescription: "The namespace that the function belongs to. Another namespace makes another function.",
			Validators:          []validator.String{tfkit.Reference()},
			PlanModifiers:       []planmodifier.String{spelling.String(spelling.Reference), tfkit.ReplaceUnless(spelling.Reference)},
		},
		"name": tfkit.ReplacingAttribute("The name, at most 34 characters and unique in the namespace. Generated if left out. Another name makes another function.",
			nameValidators()...),
		"description":                  tfkit.DescriptionAttribute("function"),
		"tags":                         tfkit.TagsAttribute("function"),
		"environment_variables":        tfkit.EnvironmentAttribute("function"),
		"secret_environment_variables": tfkit.SecretsAttribute("function"),
		tfkit.WriteOnlySecrets:         tfkit.WriteOnlySecretsAttribute("function"),
		tfkit.WriteOnlySecretsVersion:  tfkit.WriteOnlySecretsVersionAttribute(),
		"domain_name":                  tfkit.StableAttribute("The host name under which the function is called."),
		"url":                          tfkit.StableAttribute("Where the function is called: `https://` and its domain name. A Jeton server may serve it by another scheme or port."),
		"region":                       tfkit.RegionAttribute(),
		"project_id":                   tfkit.ReplacingAttribute("The project, which is always the namespace's: another one is refused.", tfkit.UUID()),
		"organization_id":              tfkit.StableAttribute("The organization that the project belongs to."),
	}
	for name, attribute := range codeAttributes() {
		attributes[name] = attribute
	}
	for name, attribute := range executionAttributes() {
		attributes[name] = attribute
	}
	return schema.Schema{
		MarkdownDescription: "A function: code that runs when its domain name is called. A private function is opened by a token.",
		Attributes:          attributes,
		Blocks:              map[string]schema.Block{"timeouts": tfkit.TimeoutsBlock(timeout)},
	}
}

// codeAttributes say what runs.
func codeAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"runtime": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "The runtime, for example `go126`, `node24` or `python314`.",
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"handler": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "What the runtime calls, for example `Handle` for Go or `handler.handle` for Node and Python.",
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"zip_file": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "The path of a zip archive that holds the code. It is uploaded when its content changes, or when `zip_hash` does if that is set. " +
				"Times, order and compression of the entries are not content.",
			Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"zip_hash": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Any text that changes when the archive is to be uploaded, for example a hash of the source code, " +
				"where archives of the same code differ. Without it the content of the archive decides.",
			Validators: []validator.String{stringvalidator.AlsoRequires(path.MatchRoot("zip_file"))},
		},
		zipDigest: schema.StringAttribute{
			Computed: true,
			MarkdownDescription: "The SHA-256 of the archive that was uploaded, in hex. Null with `zip_hash`. " +
				"For a function that the official provider made, it is that of the archive at the first refresh.",
		},
		statusAttribute: schema.StringAttribute{
			Computed: true,
			MarkdownDescription: "The status of the function at the last refresh, for example `ready`. In status `error` its last deployment failed: " +
				"with `zip_file` and `deploy`, the next apply deploys it again.",
		},
		"deploy": schema.BoolAttribute{
			Optional:            true,
			Computed:            true,
			MarkdownDescription: "Whether code that was uploaded is built and put into service. `false` by default.",
			PlanModifiers:       []planmodifier.Bool{spelling.Switch()},
		},
	}
}

// executionAttributes say how it runs and who may call it.
func executionAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"privacy": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "`public`: anyone may call the function. `private`: only who has a token.",
			Validators:          []validator.String{stringvalidator.OneOf("public", "private")},
		},
		"http_option": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(defaultHTTPOption),
			MarkdownDescription: "`enabled`: HTTP and HTTPS are served. `redirected`: HTTP is sent on to HTTPS. `" + defaultHTTPOption + "` by default.",
			Validators:          []validator.String{stringvalidator.OneOf("enabled", "redirected")},
		},
		"sandbox": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "The environment that instances run in: `v1` or `v2`. The service's own choice by default.",
			Validators:          []validator.String{stringvalidator.OneOf("v1", "v2")},
			PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
		},
		"min_scale": number("The least number of instances. 0 by default.", defaultMinScale, int64validator.Between(0, maxNumber)),
		"max_scale": number("The greatest number of instances. 20 by default.", defaultMaxScale, int64validator.Between(1, maxNumber)),
		"memory_limit": number("The memory of an instance, in MB: 128, 256, 512, 1024, 2048, 3072 or 4096. 256 by default.",
			defaultMemoryLimit, int64validator.OneOf(128, 256, 512, 1024, 2048, 3072, 4096)),
		"cpu_limit": schema.Int64Attribute{
			Computed:            true,
			MarkdownDescription: "The share of a processor of an instance, in thousandths. It follows from the memory.",
			PlanModifiers:       []planmodifier.Int64{followsMemory{}},
		},
		"timeout": schema.Int64Attribute{
			Optional: true, Computed: true,
			MarkdownDescription: "How long a call may take, in seconds. The service's own choice by default, which is 300.",
			Validators:          []validator.Int64{int64validator.Between(1, maxNumber)},
			PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
		},
		"private_network_id": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "The private network that instances are attached to.",
			Validators:          []validator.String{tfkit.OptionalReference()},
			PlanModifiers:       []planmodifier.String{spelling.String(spelling.Reference)},
		},
	}
}

func number(description string, standard int64, v validator.Int64) schema.Attribute {
	return schema.Int64Attribute{
		Optional:            true,
		Computed:            true,
		Default:             int64default.StaticInt64(standard),
		MarkdownDescription: description,
		Validators:          []validator.Int64{v},
	}
}

// followsMemory keeps the share of a processor as long as the memory stays.
type followsMemory struct{}

func (followsMemory) Description(context.Context) string {
	return "The share of a processor changes with the memory only."
}

func (m followsMemory) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

func (followsMemory) PlanModifyInt64(ctx context.Context, req planmodifier.Int64Request, resp *planmodifier.Int64Response) {
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
	most, byDefault := m.MaxScale.ValueInt64(), ""
	if m.MaxScale.IsNull() {
		most, byDefault = defaultMaxScale, " by default"
	}
	if least := m.MinScale.ValueInt64(); least > most {
		resp.Diagnostics.AddAttributeError(path.Root("min_scale"), "More instances at least than at most",
			fmt.Sprintf("min_scale is %d and max_scale is %d%s: lower min_scale or raise max_scale.", least, most, byDefault))
	}
}

func nameValidators() []validator.String {
	return []validator.String{
		stringvalidator.LengthAtMost(grammar.MaxFunctionName),
		tfkit.StringRule("lower-case letters, digits and hyphens, with no hyphen first or last", "Invalid function name", func(text string) string {
			if grammar.IsFunctionName(text) {
				return ""
			}
			return tfkit.Quote(text) + " is not a function name: a function name holds lower-case letters, digits and hyphens, and begins and ends with a letter or digit."
		}),
	}
}

// maxNumber is the greatest number that the API's fields hold. Limits that the
// operator of a server can raise are the API's to check.
const maxNumber = math.MaxInt32
