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

// model is a trigger in configuration, plan and state.
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

// The types of the blocks' objects.
var (
	sqsType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"queue": types.StringType, "namespace_id": types.StringType, "project_id": types.StringType, "region": types.StringType,
	}}
	natsType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"subject": types.StringType, "account_id": types.StringType, "project_id": types.StringType, "region": types.StringType,
	}}
)

// source is what a block says, null where there is no block.
type source struct {
	list types.List
	of   types.ObjectType
}

func (s source) isSet() bool {
	return len(s.list.Elements()) > 0
}

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

// filled is the block with what the service says, in its own spelling where that
// says the same.
func (s source) filled(says map[string]types.String) types.List {
	values := map[string]attr.Value{}
	for attribute := range s.of.AttrTypes {
		prior := s.text(attribute)
		said, known := says[attribute]
		switch {
		case known && attribute == "account_id":
			values[attribute] = spelling.Keep(prior, said, spelling.Reference)
		case known:
			values[attribute] = spelling.Keep(prior, said, spelling.Text)
		case prior.IsUnknown():
			values[attribute] = types.StringNull()
		default:
			values[attribute] = prior
		}
	}
	return types.ListValueMust(s.of, []attr.Value{types.ObjectValueMust(s.of.AttrTypes, values)})
}

// withEmpty is the block with "" in place of a null attribute.
func (s source) withEmpty(attribute string) types.List {
	if !s.isSet() || !s.text(attribute).IsNull() {
		return s.list
	}
	values := map[string]attr.Value{}
	for name := range s.of.AttrTypes {
		values[name] = s.text(name)
	}
	values[attribute] = types.StringValue("")
	return types.ListValueMust(s.of, []attr.Value{types.ObjectValueMust(s.of.AttrTypes, values)})
}

func (m *model) sqs() source { return source{m.SQS, sqsType} }

func (m *model) nats() source { return source{m.NATS, natsType} }

// fill takes over what the service says, in the model's own spelling where that
// says the same.
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

// setEmpty writes "" for what is not set, as the official provider does.
func (m *model) setEmpty() {
	m.Description = spelling.OrEmpty(m.Description)
	m.SQS = m.sqs().withEmpty("namespace_id")
	m.NATS = m.nats().withEmpty("account_id")
}

// isOf reports whether what is planned calls the function of the trigger that there
// is, with the same messages. What is not known before the service says it is.
func (m *model) isOf(id regional.ID, t *sdk.Trigger) bool {
	current := *m
	current.fill(id, t)
	same := spelling.Reference(m.FunctionID.ValueString(), t.FunctionID)
	for _, pair := range [][2]source{{m.sqs(), current.sqs()}, {m.nats(), current.nats()}} {
		same = same && pair[0].isSet() == pair[1].isSet()
		for attribute := range pair[0].of.AttrTypes {
			planned := pair[0].text(attribute)
			same = same && (planned.IsUnknown() || planned.Equal(pair[1].text(attribute)))
		}
	}
	return same
}

// createRequest returns the request that makes the planned trigger of a function.
// What a block leaves out is the provider's or the trigger's own.
func (m *model) createRequest(called regional.ID, name, projectID string) *sdk.CreateTriggerRequest {
	req := &sdk.CreateTriggerRequest{
		Region: called.Region, FunctionID: called.UUID, Name: name, Description: tfkit.OptionalString(m.Description),
	}
	or := func(given types.String, otherwise string) string {
		if text := tfkit.OptionalString(given); text != nil {
			return *text
		}
		return otherwise
	}
	if s := m.sqs(); s.isSet() {
		req.ScwSqsConfig = &sdk.CreateTriggerRequestMnqSqsClientConfig{
			Queue: s.text("queue").ValueString(), MnqProjectID: or(s.text("project_id"), projectID), MnqRegion: or(s.text("region"), called.Region.String()),
		}
	}
	if s := m.nats(); s.isSet() {
		req.ScwNatsConfig = &sdk.CreateTriggerRequestMnqNatsClientConfig{
			Subject: s.text("subject").ValueString(), MnqNatsAccountID: regional.Bare(or(s.text("account_id"), "")),
			MnqProjectID: or(s.text("project_id"), projectID), MnqRegion: or(s.text("region"), called.Region.String()),
		}
	}
	return req
}

// updateRequest returns the request that makes the trigger what is planned, or nil
// if it is so already.
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
