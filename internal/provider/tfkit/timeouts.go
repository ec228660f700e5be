package tfkit

import (
	"context"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The operations of a timeouts block.
const (
	OnCreate = "create"
	OnRead   = "read"
	OnUpdate = "update"
	OnDelete = "delete"
)

// timeoutDefault is the argument for the operations without a timeout of their own.
const timeoutDefault = "default"

// TimeoutsBlock returns the timeouts block of the official provider. The block of
// terraform-plugin-framework-timeouts lacks "default", which existing configurations
// and states may contain.
func TimeoutsBlock(timeout time.Duration) schema.Block {
	attributes := map[string]schema.Attribute{}
	for _, operation := range []string{OnCreate, OnRead, OnUpdate, OnDelete} {
		attributes[operation] = timeoutAttribute("The timeout of the " + operation + " operation, for example `90s` or `10m`. Defaults to `default`.")
	}
	attributes[timeoutDefault] = timeoutAttribute("The timeout of all operations without a timeout of their own. Defaults to `" + strings.TrimSuffix(timeout.String(), "0s") + "`.")
	return schema.SingleNestedBlock{Attributes: attributes}
}

func timeoutAttribute(description string) schema.Attribute {
	return schema.StringAttribute{
		Optional:            true,
		Validators:          []validator.String{positiveDuration()},
		MarkdownDescription: description,
	}
}

// WithTimeout returns a context that ends after the operation's timeout in the block,
// or after standard if the block sets none.
func WithTimeout(ctx context.Context, block types.Object, operation string, standard time.Duration) (context.Context, context.CancelFunc) {
	d, ok := ConfiguredTimeout(block, operation)
	if !ok {
		d = standard
	}
	return context.WithTimeout(ctx, d)
}

// ConfiguredTimeout returns the operation's timeout in the block, and false if the
// block sets none.
func ConfiguredTimeout(block types.Object, operation string) (time.Duration, bool) {
	for _, name := range []string{operation, timeoutDefault} {
		if d, ok := timeoutOf(block.Attributes()[name]); ok {
			return d, true
		}
	}
	return 0, false
}

func timeoutOf(value attr.Value) (time.Duration, bool) {
	text, ok := value.(types.String)
	if !ok {
		return 0, false
	}
	return parsePositive(text.ValueString())
}

func parsePositive(text string) (time.Duration, bool) {
	d, err := time.ParseDuration(text)
	return d, err == nil && d > 0
}

func positiveDuration() validator.String {
	return StringRule("a duration such as 90s or 10m", "Invalid timeout", func(value string) string {
		if _, ok := parsePositive(value); !ok {
			return Quote(value) + " is not a positive duration: write a number and a unit, for example 90s, 10m or 1h30m."
		}
		return ""
	})
}
