package admin

import (
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// An ImportRequest asks for the import of one namespace.
type ImportRequest struct {
	DryRun bool `json:"dry_run"`
	// ProjectName is the name of the project if it does not exist yet.
	ProjectName string `json:"project_name"`
	// Import is everything but the values of secret variables, which encode as nothing.
	Import functions.Import `json:"import"`
	// Values are the known values of secret variables, by the ID of the namespace or
	// function.
	Values map[string]map[string]string `json:"values,omitempty"`
}

// decode returns the import with the values of its secret variables.
func (r ImportRequest) decode() (functions.Import, error) {
	if r.Import.Namespace.ID == "" {
		return functions.Import{}, invalid("import", "required", "is required")
	}
	from := r.Import
	from.Namespace.Secrets = withValues(from.Namespace.Secrets, r.Values[from.Namespace.ID])
	for n := range from.Functions {
		from.Functions[n].Secrets = withValues(from.Functions[n].Secrets, r.Values[from.Functions[n].ID])
	}
	return from, nil
}

func withValues(secrets []functions.ImportedSecret, values map[string]string) []functions.ImportedSecret {
	for n, s := range secrets {
		secrets[n].Value = value(values, s.Key)
	}
	return secrets
}

// An ImportReport is the outcome of an import.
type ImportReport struct {
	NamespaceID    string `json:"namespace_id"`
	ProjectCreated bool   `json:"project_created"`
	// Keys is the number of public keys that the namespace has after the import.
	Keys    int            `json:"keys"`
	Results []ImportResult `json:"results"`
}

// An ImportResult is what an import did with one object.
type ImportResult struct {
	Kind      string                 `json:"kind"`
	ID        string                 `json:"id"`
	Name      string                 `json:"name"`
	Action    functions.ImportAction `json:"action"`
	Reason    string                 `json:"reason,omitempty"`
	NeedsCode bool                   `json:"needs_code,omitempty"`
	// Status, ErrorMessage and DomainName are set for functions.
	Status       functions.Status `json:"status,omitempty"`
	ErrorMessage string           `json:"error_message,omitempty"`
	DomainName   string           `json:"domain_name,omitempty"`
}

func encodeResult(r functions.ImportResult) ImportResult {
	return ImportResult{Kind: r.Kind, ID: r.ID, Name: r.Name, Action: r.Action, Reason: r.Reason, NeedsCode: r.NeedsCode}
}

// ImportedCode is a function after the import of its code.
type ImportedCode struct {
	FunctionID   string           `json:"function_id"`
	Status       functions.Status `json:"status"`
	ErrorMessage string           `json:"error_message,omitempty"`
}

// ForeignTokens is how a namespace accepts the tokens of another issuer.
type ForeignTokens struct {
	NamespaceID string `json:"namespace_id"`
	Issuer      string `json:"issuer"`
	Keys        int    `json:"keys"`
	Accepted    bool   `json:"accepted"`
	// Fingerprints are the SHA-256 digests of the keys.
	Fingerprints []string `json:"fingerprints"`
}

// encodeForeign encodes the issuer of an imported namespace.
func encodeForeign(n functions.Namespace) ForeignTokens {
	encoded := ForeignTokens{NamespaceID: n.ID, Issuer: n.Foreign.Name, Keys: len(n.Foreign.Keys), Accepted: !n.Foreign.Refused, Fingerprints: []string{}}
	for _, key := range n.Foreign.Keys {
		encoded.Fingerprints = append(encoded.Fingerprints, functions.KeyFingerprint(key))
	}
	return encoded
}

type acceptRequest struct {
	Accept bool `json:"accept"`
}

// changedAt returns the form of a time in a query.
func changedAt(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
