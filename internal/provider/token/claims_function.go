package token

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// tokenClaimsFunction is the provider function token_claims.
type tokenClaimsFunction struct{}

// NewClaimsFunction returns the provider function token_claims.
func NewClaimsFunction() function.Function {
	return tokenClaimsFunction{}
}

// Metadata implements function.Function.
func (tokenClaimsFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "token_claims"
}

// Definition implements function.Function.
func (tokenClaimsFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	attributes := map[string]attr.Type{}
	for _, name := range []string{"id", "function_id", "namespace_id", "issued_at", "not_before", "expires_at", "issuer", "audience", "subject"} {
		attributes[name] = types.StringType
	}
	resp.Definition = function.Definition{
		Summary: "Read the claims of a token",
		MarkdownDescription: "Returns the claims of a token of a function or a namespace. **It does not verify the token**: " +
			"anyone can write such claims, and those of a revoked token do not change. Use it to inspect a token, never to decide whether to trust it.\n\n" +
			"The result is an object with these strings. A claim that the token does not have is null.\n\n" +
			"- `id`: the UUID of the token.\n" +
			"- `function_id` or `namespace_id`: the UUID of the function or namespace that the token grants access to; the other one is null.\n" +
			"- `issued_at`, `not_before`, `expires_at`: times in UTC. `expires_at` is null if the token never expires.\n" +
			"- `issuer`, `audience`, `subject`.\n\n" +
			"The result is sensitive if the token is. To show a claim, use for example `nonsensitive(provider::scaleway::token_claims(...).id)`.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "token", MarkdownDescription: "The token: the attribute `token` of `scaleway_function_token`."},
		},
		Return: function.ObjectReturn{AttributeTypes: attributes},
	}
}

// Run implements function.Function.
func (tokenClaimsFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var token string
	resp.Error = req.Arguments.Get(ctx, &token)
	if resp.Error != nil {
		return
	}
	parsed, err := parseClaims(token)
	if err != nil {
		resp.Error = function.NewArgumentFuncError(0, err.Error())
		return
	}
	resp.Error = resp.Result.Set(ctx, parsed)
}
