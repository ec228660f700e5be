package function

import (
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// updateRequest returns the request that makes the function what is planned, or
// nil if it is so already. It compares with what the service says now and not
// with the state: a request deploys the function anew, so it is sent only where
// it changes something, whatever an older state lacks.
func (m *model) updateRequest(id regional.ID, secrets []*sdk.Secret, f *sdk.Function) *sdk.UpdateFunctionRequest {
	req := &sdk.UpdateFunctionRequest{
		Region:                     id.Region,
		FunctionID:                 id.UUID,
		EnvironmentVariables:       tfkit.ChangedMap(m.EnvironmentVariables, f.EnvironmentVariables),
		MinScale:                   tfkit.ChangedNumber(m.MinScale, f.MinScale),
		MaxScale:                   tfkit.ChangedNumber(m.MaxScale, f.MaxScale),
		Runtime:                    changedEnum(m.Runtime, f.Runtime),
		MemoryLimit:                tfkit.ChangedNumber(m.MemoryLimit, f.MemoryLimit),
		Timeout:                    changedTimeout(m.Timeout, f.Timeout),
		Handler:                    tfkit.ChangedString(m.Handler, &f.Handler),
		Privacy:                    changedEnum(m.Privacy, f.Privacy),
		Description:                tfkit.ChangedString(m.Description, f.Description),
		SecretEnvironmentVariables: secrets,
		HTTPOption:                 changedEnum(m.HTTPOption, f.HTTPOption),
		Sandbox:                    changedEnum(m.Sandbox, f.Sandbox),
		Tags:                       tfkit.ChangedList(m.Tags, f.Tags),
		PrivateNetworkID:           changedNetwork(m.PrivateNetworkID, f.PrivateNetworkID),
	}
	if changesNothing(req) {
		return nil
	}
	return req
}

func changesNothing(req *sdk.UpdateFunctionRequest) bool {
	for _, unchanged := range []bool{
		req.EnvironmentVariables == nil, req.MinScale == nil, req.MaxScale == nil, req.Runtime == "",
		req.MemoryLimit == nil, req.Timeout == nil, req.Handler == nil, req.Privacy == "", req.Description == nil,
		req.SecretEnvironmentVariables == nil, req.HTTPOption == "", req.Sandbox == "", req.Tags == nil, req.PrivateNetworkID == nil,
	} {
		if !unchanged {
			return false
		}
	}
	return true
}

// changedEnum returns the wanted word if it differs from the current one, and ""
// otherwise, which the SDK sends as "unknown" and the service takes for "as it
// was".
func changedEnum[E ~string](wanted types.String, current E) E {
	if wanted.IsUnknown() || wanted.ValueString() == string(current) {
		return ""
	}
	return E(wanted.ValueString())
}

func changedTimeout(wanted types.Int64, current *scw.Duration) *scw.Duration {
	if wanted.Equal(seconds(current)) {
		return nil
	}
	return duration64(wanted)
}

// changedNetwork returns the uuid of the wanted network if it differs from the
// current one; "" detaches the function.
func changedNetwork(wanted types.String, current *string) *string {
	if wanted.IsUnknown() || spelling.Equal(wanted, types.StringPointerValue(current), spelling.Reference) {
		return nil
	}
	return new(regional.Bare(wanted.ValueString()))
}
