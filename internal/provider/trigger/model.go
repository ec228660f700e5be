package trigger

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// model is the trigger resource in a configuration, plan or state.
type model struct {
	ID          types.String `tfsdk:"id"`
	FunctionID  types.String `tfsdk:"function_id"`
	Name        types.String `tfsdk:"name"`
	Description types.String `tfsdk:"description"`
	SQS         types.List   `tfsdk:"sqs"`
	NATS        types.List   `tfsdk:"nats"`
	Region      types.String `tfsdk:"region"`
	Timeouts    types.Object `tfsdk:"timeouts"`
}

// The types of the elements of the blocks.
var (
	sqsType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"queue": types.StringType, "namespace_id": types.StringType, "project_id": types.StringType, "region": types.StringType,
	}}
	natsType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"subject": types.StringType, "account_id": types.StringType, "project_id": types.StringType, "region": types.StringType,
	}}
)

// source is the value of a source block: a list of at most one element.
type source struct {
	list        types.List
	elementType types.ObjectType
}

// isSet reports whether the block is configured.
func (s source) isSet() bool {
	return len(s.list.Elements()) > 0
}

// text returns an attribute of the block, null without a block.
func (s source) text(attribute string) types.String {
	if s.isSet() {
		if object, ok := s.list.Elements()[0].(types.Object); ok {
			if text, ok := object.Attributes()[attribute].(types.String); ok {
				return text
			}
		}
	}
	return types.StringNull()
}

// filled returns the block with the values of the API's answer. It keeps the block's
// spelling of equal values.
func (s source) filled(answer map[string]types.String) types.List {
	values := map[string]attr.Value{}
	for attribute := range s.elementType.AttrTypes {
		prior := s.text(attribute)
		value, known := answer[attribute]
		switch {
		case known && attribute == "account_id":
			values[attribute] = spelling.Keep(prior, value, spelling.Reference)
		case known:
			values[attribute] = spelling.Keep(prior, value, spelling.Text)
		case prior.IsUnknown():
			values[attribute] = types.StringNull()
		default:
			values[attribute] = prior
		}
	}
	return types.ListValueMust(s.elementType, []attr.Value{types.ObjectValueMust(s.elementType.AttrTypes, values)})
}

// withEmpty returns the block with "" for an attribute that is null.
func (s source) withEmpty(attribute string) types.List {
	if !s.isSet() || !s.text(attribute).IsNull() {
		return s.list
	}
	values := map[string]attr.Value{}
	for name := range s.elementType.AttrTypes {
		values[name] = s.text(name)
	}
	values[attribute] = types.StringValue("")
	return types.ListValueMust(s.elementType, []attr.Value{types.ObjectValueMust(s.elementType.AttrTypes, values)})
}

func (m *model) sqs() source { return source{m.SQS, sqsType} }

func (m *model) nats() source { return source{m.NATS, natsType} }

// fill sets the attributes from the API's answer. It keeps the model's spelling of
// equal values.
func (m *model) fill(id regional.ID, t *sdk.Trigger) {
	m.ID = types.StringValue(id.String())
	m.FunctionID = spelling.Keep(m.FunctionID, tfkit.RegionalReference(id, &t.FunctionID), spelling.Reference)
	m.Name = types.StringValue(t.Name)
	m.Description = spelling.Keep(m.Description, types.StringValue(t.Description), spelling.Text)
	m.Region = types.StringValue(id.Region.String())
	if c := t.ScwSqsConfig; c != nil {
		m.SQS = m.sqs().filled(map[string]types.String{
			"queue": types.StringValue(c.Queue), "project_id": types.StringValue(c.MnqProjectID), "region": types.StringValue(c.MnqRegion),
		})
	}
	if c := t.ScwNatsConfig; c != nil {
		account := regional.ID{Region: scw.Region(c.MnqRegion)}
		m.NATS = m.nats().filled(map[string]types.String{
			"subject": types.StringValue(c.Subject), "account_id": tfkit.RegionalReference(account, &c.MnqNatsAccountID),
			"project_id": types.StringValue(c.MnqProjectID), "region": types.StringValue(c.MnqRegion),
		})
	}
}

// setEmpty replaces null by "", as the official provider does.
func (m *model) setEmpty() {
	m.Description = spelling.OrEmpty(m.Description)
	m.SQS = m.sqs().withEmpty("namespace_id")
	m.NATS = m.nats().withEmpty("account_id")
}

// hasSourceOf reports whether the planned trigger has the same function and source as an
// existing one. Unknown values are equal to any value.
func (m *model) hasSourceOf(id regional.ID, t *sdk.Trigger) bool {
	current := *m
	current.fill(id, t)
	same := spelling.Reference(m.FunctionID.ValueString(), t.FunctionID)
	for _, pair := range [][2]source{{m.sqs(), current.sqs()}, {m.nats(), current.nats()}} {
		same = same && pair[0].isSet() == pair[1].isSet()
		for attribute := range pair[0].elementType.AttrTypes {
			planned := pair[0].text(attribute)
			same = same && (planned.IsUnknown() || planned.Equal(pair[1].text(attribute)))
		}
	}
	return same
}

// createRequest returns the request that creates the planned trigger of the function
// target. Missing values of a block default to the provider's project and the trigger's
// region.
func (m *model) createRequest(target regional.ID, name, projectID string) *sdk.CreateTriggerRequest {
	req := &sdk.CreateTriggerRequest{
		Region: target.Region, FunctionID: target.UUID, Name: name, Description: tfkit.OptionalString(m.Description),
	}
	orDefault := func(given types.String, standard string) string {
		if text := tfkit.OptionalString(given); text != nil {
			return *text
		}
		return standard
	}
	if s := m.sqs(); s.isSet() {
		req.ScwSqsConfig = &sdk.CreateTriggerRequestMnqSqsClientConfig{
			Queue: s.text("queue").ValueString(), MnqProjectID: orDefault(s.text("project_id"), projectID), MnqRegion: orDefault(s.text("region"), target.Region.String()),
		}
	}
	if s := m.nats(); s.isSet() {
		req.ScwNatsConfig = &sdk.CreateTriggerRequestMnqNatsClientConfig{
			Subject: s.text("subject").ValueString(), MnqNatsAccountID: regional.Bare(orDefault(s.text("account_id"), "")),
			MnqProjectID: orDefault(s.text("project_id"), projectID), MnqRegion: orDefault(s.text("region"), target.Region.String()),
		}
	}
	return req
}

// updateRequest returns the request with the planned changes, or nil if there are none.
func (m *model) updateRequest(id regional.ID, t *sdk.Trigger) *sdk.UpdateTriggerRequest {
	req := &sdk.UpdateTriggerRequest{Region: id.Region, TriggerID: id.UUID, Description: tfkit.ChangedString(m.Description, &t.Description)}
	if tfkit.IsSet(m.Name) {
		req.Name = tfkit.ChangedString(m.Name, &t.Name)
	}
	if req.Name == nil && req.Description == nil {
		return nil
	}
	return req
}
