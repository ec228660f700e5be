package token

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// tokenClaimsFunction is the function token_claims.
type tokenClaimsFunction struct{}

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
		Summary: "What a token says of itself",
		MarkdownDescription: "Reads the claims of a token of a function or a namespace. **It does not verify the token**: " +
			"anyone can write such a text, and a token that was revoked looks as before. Use it to see what a token is, never to decide whether to trust it.\n\n" +
			"It returns an object of texts: `id`, the uuid of the token; `function_id` or `namespace_id`, the uuid of what it opens, and null for the other; " +
			"`issued_at`, `not_before` and `expires_at`, in UTC; `issuer`, `audience` and `subject`. What the token does not say is null, such as `expires_at` of a token that never expires.\n\n" +
			"A token is sensitive, and so is what comes of it: write `nonsensitive(provider::scaleway::token_claims(...).id)` to show it.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "token", MarkdownDescription: "The token, as the attribute `token` of `scaleway_function_token` has it."},
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
	said, err := parseClaims(token)
	if err != nil {
		resp.Error = function.NewArgumentFuncError(0, err.Error())
		return
	}
	resp.Error = resp.Result.Set(ctx, said)
}
