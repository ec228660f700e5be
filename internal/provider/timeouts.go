package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The official provider's timeouts. A token has no timeouts block: it is made in
// a second or never.
const (
	namespaceTimeout = 5 * time.Minute
	functionTimeout  = 15 * time.Minute
	tokenTimeout     = 5 * time.Minute
	cronTimeout      = 5 * time.Minute
	domainTimeout    = 15 * time.Minute
	triggerTimeout   = 15 * time.Minute
)

// The operations that a timeouts block knows, and what stands for those that it
// leaves out.
const (
	onCreate  = "create"
	onRead    = "read"
	onUpdate  = "update"
	onDelete  = "delete"
	otherwise = "default"
)

// timeoutsBlock returns the block as the official provider has it: the one of
// terraform-plugin-framework-timeouts lacks "default", which configurations and
// states in the field may hold.
func timeoutsBlock(standard time.Duration) schema.Block {
	attributes := map[string]schema.Attribute{}
	for _, operation := range []string{onCreate, onRead, onUpdate, onDelete, otherwise} {
		attributes[operation] = schema.StringAttribute{
			Optional:   true,
			Validators: []validator.String{duration{}},
			MarkdownDescription: "How long the operation may take, for example `90s` or `10m`. " +
				"What is not set takes `default`, which is " + standard.String() + ".",
		}
	}
	return schema.SingleNestedBlock{Attributes: attributes}
}

// withTimeout bounds an operation by what the block says, or by standard.
func withTimeout(ctx context.Context, block types.Object, operation string, standard time.Duration) (context.Context, context.CancelFunc) {
	d, ok := configuredTimeout(block, operation)
	if !ok {
		d = standard
	}
	return context.WithTimeout(ctx, d)
}

// configuredTimeout returns what the block says of an operation, if it does.
func configuredTimeout(block types.Object, operation string) (time.Duration, bool) {
	for _, name := range []string{operation, otherwise} {
		if d, ok := blockDuration(block.Attributes()[name]); ok {
			return d, true
		}
	}
	return 0, false
}

func blockDuration(value attr.Value) (time.Duration, bool) {
	text, ok := value.(types.String)
	if !ok || text.ValueString() == "" {
		return 0, false
	}
	d, err := time.ParseDuration(text.ValueString())
	return d, err == nil && d > 0
}

// duration validates a length of time above zero.
type duration struct{}

func (duration) Description(context.Context) string {
	return "a length of time such as 90s or 10m"
}

func (d duration) MarkdownDescription(ctx context.Context) string {
	return d.Description(ctx)
}

func (duration) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, ok := blockDuration(req.ConfigValue); !ok {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid timeout",
			quoted(req.ConfigValue.ValueString())+" is no length of time above zero: write a number and a unit, for example 90s, 10m or 1h30m.")
	}
}
