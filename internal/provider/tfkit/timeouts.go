package tfkit

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The operations that a timeouts block knows, and what stands for those that it
// leaves out.
const (
	OnCreate       = "create"
	OnRead         = "read"
	OnUpdate       = "update"
	OnDelete       = "delete"
	timeoutDefault = "default"
)

// TimeoutsBlock returns the block as the official provider has it: the one of
// terraform-plugin-framework-timeouts lacks "default", which configurations and
// states in the field may hold.
func TimeoutsBlock(standard time.Duration) schema.Block {
	attributes := map[string]schema.Attribute{}
	for _, operation := range []string{OnCreate, OnRead, OnUpdate, OnDelete, timeoutDefault} {
		attributes[operation] = schema.StringAttribute{
			Optional:   true,
			Validators: []validator.String{timeoutValidator{}},
			MarkdownDescription: "How long the operation may take, for example `90s` or `10m`. " +
				"What is not set takes `default`, which is " + standard.String() + ".",
		}
	}
	return schema.SingleNestedBlock{Attributes: attributes}
}

// WithTimeout bounds an operation by what the block says, or by standard.
func WithTimeout(ctx context.Context, block types.Object, operation string, standard time.Duration) (context.Context, context.CancelFunc) {
	d, ok := ConfiguredTimeout(block, operation)
	if !ok {
		d = standard
	}
	return context.WithTimeout(ctx, d)
}

// ConfiguredTimeout returns what the block says of an operation, if it does.
func ConfiguredTimeout(block types.Object, operation string) (time.Duration, bool) {
	for _, name := range []string{operation, timeoutDefault} {
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

// timeoutValidator validates a length of time above zero.
type timeoutValidator struct{}

func (timeoutValidator) Description(context.Context) string {
	return "a length of time such as 90s or 10m"
}

func (d timeoutValidator) MarkdownDescription(ctx context.Context) string {
	return d.Description(ctx)
}

func (timeoutValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, ok := blockDuration(req.ConfigValue); !ok {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid timeout",
			Quote(req.ConfigValue.ValueString())+" is no length of time above zero: write a number and a unit, for example 90s, 10m or 1h30m.")
	}
}
