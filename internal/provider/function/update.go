package function

import (
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// updateRequest returns the request with the planned changes, or nil if there are none. It
// compares the plan with the service and not with the state, which may lack attributes:
// each request deploys the function, so it is sent only if something changes.
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

// changesNothing reports whether the request contains no change.
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

// changedEnum returns the planned value if it differs from the current one, and ""
// otherwise. The SDK sends "" as "unknown", and the service does not change the value then.
func changedEnum[E ~string](planned types.String, current E) E {
	if planned.IsUnknown() || planned.ValueString() == string(current) {
		return ""
	}
	return E(planned.ValueString())
}

// changedTimeout returns the planned timeout if it differs from the current one, and nil
// otherwise.
func changedTimeout(planned types.Int64, current *scw.Duration) *scw.Duration {
	if planned.Equal(seconds(current)) {
		return nil
	}
	return apiDuration(planned)
}

// changedNetwork returns the UUID of the planned network if it differs from the current
// one, and nil otherwise; "" detaches the function from its network.
func changedNetwork(planned types.String, current *string) *string {
	if planned.IsUnknown() || spelling.Equal(planned, types.StringPointerValue(current), spelling.Reference) {
		return nil
	}
	return new(regional.Bare(planned.ValueString()))
}
