package relay

import "google.golang.org/protobuf/encoding/protowire"

// The fields of a response with schemas that contain types by name.
const (
	resourceTypes  protowire.Number = 2
	dataSources    protowire.Number = 3
	functionNames  protowire.Number = 7
	ephemeralTypes protowire.Number = 8
	listTypes      protowire.Number = 9
	stateStores    protowire.Number = 10
	actionTypes    protowire.Number = 11
)

// method describes a call that names a type.
type method struct {
	// five is the name in protocol 5, if it differs.
	five string
	// of is where the schemas contain the named type.
	of protowire.Number
	// name is the field of the request that contains the name; 0 means 1.
	name protowire.Number
	// diagnostics is the field of the response with diagnostics.
	diagnostics protowire.Number
	// configured reports whether the provider must be configured before.
	configured bool
}

// methods are the calls that are routed by the type that they name. Calls that are missing
// here are sent to Jeton's provider.
var methods = map[string]method{
	"ValidateResourceConfig":          {of: resourceTypes, diagnostics: 1, five: "ValidateResourceTypeConfig"},
	"UpgradeResourceState":            {of: resourceTypes, diagnostics: 2},
	"UpgradeResourceIdentity":         {of: resourceTypes, diagnostics: 2},
	"MoveResourceState":               {of: resourceTypes, diagnostics: 2, name: 5},
	"ReadResource":                    {of: resourceTypes, diagnostics: 2, configured: true},
	"PlanResourceChange":              {of: resourceTypes, diagnostics: 4, configured: true},
	"ApplyResourceChange":             {of: resourceTypes, diagnostics: 3, configured: true},
	"ImportResourceState":             {of: resourceTypes, diagnostics: 2, configured: true},
	"GenerateResourceConfig":          {of: resourceTypes, diagnostics: 2},
	"ValidateDataResourceConfig":      {of: dataSources, diagnostics: 1, five: "ValidateDataSourceConfig"},
	"ReadDataSource":                  {of: dataSources, diagnostics: 2, configured: true},
	"CallFunction":                    {of: functionNames, diagnostics: 2},
	"ValidateEphemeralResourceConfig": {of: ephemeralTypes, diagnostics: 1},
	"OpenEphemeralResource":           {of: ephemeralTypes, diagnostics: 1, configured: true},
	"RenewEphemeralResource":          {of: ephemeralTypes, diagnostics: 1, configured: true},
	"CloseEphemeralResource":          {of: ephemeralTypes, diagnostics: 1, configured: true},
	"ValidateListResourceConfig":      {of: listTypes, diagnostics: 1},
	"ListResource":                    {of: listTypes, diagnostics: 4, configured: true},
	"ValidateActionConfig":            {of: actionTypes, diagnostics: 1},
	"PlanAction":                      {of: actionTypes, diagnostics: 1, configured: true},
}

// typeName returns the name that a request of the method contains.
func (m method) typeName(request []byte) (string, error) {
	number := m.name
	if number == 0 {
		number = 1
	}
	name, err := content(request, number)
	return string(name), err
}

// names of calls that protocol 5 calls differently and that are not routed.
var callsOfFive = map[string]string{
	callSchema:    "GetSchema",
	callConfigure: "Configure",
	callStop:      "Stop",
}

const (
	callSchema     = "GetProviderSchema"
	callMetadata   = "GetMetadata"
	callFunctions  = "GetFunctions"
	callIdentities = "GetResourceIdentitySchemas"
	callConfigure  = "ConfigureProvider"
	callStop       = "StopProvider"
)
