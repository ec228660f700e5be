package admin

import (
	"encoding/json"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/secret"
)

// Project is the JSON form of a project, on the socket and with --json.
type Project struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	OrganizationID string    `json:"organization_id"`
	CreatedAt      time.Time `json:"created_at"`
}

// APIKey is the JSON form of an API key, without its digest.
type APIKey struct {
	AccessKey string `json:"access_key"`
	// SecretKey is only set in the response to the creation of the key.
	SecretKey      string     `json:"secret_key,omitempty"`
	ProjectID      string     `json:"project_id"`
	Projects       []string   `json:"projects,omitempty"`
	Organization   bool       `json:"organization"`
	OrganizationID string     `json:"organization_id"`
	Description    string     `json:"description"`
	Permissions    []string   `json:"permissions"`
	CreatedAt      time.Time  `json:"created_at"`
	ExpiresAt      *time.Time `json:"expires_at"`
	// LastUsedAt has a precision of one minute; null if the key was never used.
	LastUsedAt *time.Time `json:"last_used_at"`
}

// Token is the JSON form of a token, without its digest. The text is not stored.
type Token struct {
	ID          string           `json:"id"`
	Region      functions.Region `json:"region"`
	NamespaceID string           `json:"namespace_id,omitempty"`
	FunctionID  string           `json:"function_id,omitempty"`
	Description string           `json:"description"`
	CreatedAt   time.Time        `json:"created_at"`
	ExpiresAt   *time.Time       `json:"expires_at"`
	// LastUsedAt has a precision of one minute; null if the token was never used.
	LastUsedAt *time.Time `json:"last_used_at"`
	// Issuer is the API host of the service that has issued an imported token; empty for
	// the tokens of this server. AdoptedAt is when an imported token was first used here.
	Issuer    string     `json:"issuer,omitempty"`
	AdoptedAt *time.Time `json:"adopted_at,omitempty"`
}

// AuditPage has entries of the audit log. Package audit defines their JSON.
type AuditPage struct {
	Entries []json.RawMessage `json:"entries"`
	// Last is the number of the last entry, or that of the request if there is none.
	Last int64 `json:"last"`
}

// The bodies of requests, and of responses with an error.
type (
	createProjectRequest struct {
		Name string `json:"name"`
	}
	createKeyRequest struct {
		Project      string    `json:"project"`
		Projects     []string  `json:"projects,omitempty"`
		Organization bool      `json:"organization,omitempty"`
		Description  string    `json:"description"`
		Permissions  []string  `json:"permissions"`
		ExpiresAt    time.Time `json:"expires_at,omitzero"`
	}
	// updateKeyRequest changes the fields that are not null. NeverExpires removes the expiry.
	updateKeyRequest struct {
		Description  *string    `json:"description,omitempty"`
		Permissions  []string   `json:"permissions,omitempty"`
		ExpiresAt    *time.Time `json:"expires_at,omitempty"`
		NeverExpires bool       `json:"never_expires,omitempty"`
	}
	rotateKeyRequest struct {
		Overlap time.Duration `json:"overlap"` // nanoseconds
	}
	cordonRequest struct {
		Cordoned bool `json:"cordoned"`
	}
	changedNode struct {
		Name string `json:"name"`
	}
	failure struct {
		Code    functions.Code `json:"code"`
		Message string         `json:"message"`
	}
)

func encodeProject(p iam.Project) Project {
	return Project{ID: p.ID, Name: p.Name, OrganizationID: p.OrganizationID, CreatedAt: p.CreatedAt}
}

func encodeKey(k iam.APIKey) APIKey {
	return APIKey{
		AccessKey: k.AccessKey, ProjectID: k.ProjectID, Projects: k.Projects, Organization: k.Organization, OrganizationID: k.OrganizationID, Description: k.Description,
		Permissions: k.Permissions, CreatedAt: k.CreatedAt, ExpiresAt: instant(k.ExpiresAt),
	}
}

func encodeUsedKey(k UsedKey) APIKey {
	encoded := encodeKey(k.APIKey)
	encoded.LastUsedAt = instant(k.LastUsedAt)
	return encoded
}

func encodeToken(t UsedToken) Token {
	return Token{
		ID: t.ID, Region: t.Region, NamespaceID: t.NamespaceID, FunctionID: t.FunctionID, Description: t.Description,
		CreatedAt: t.CreatedAt, ExpiresAt: instant(t.ExpiresAt), LastUsedAt: instant(t.LastUsedAt),
		Issuer: t.Issuer, AdoptedAt: instant(t.AdoptedAt),
	}
}

// encodeIssued includes the secret key, for the response to the creation of a key.
func encodeIssued(k iam.APIKey, secretKey secret.String) APIKey {
	encoded := encodeKey(k)
	encoded.SecretKey = secretKey.Reveal()
	return encoded
}

// instant returns nil, which is null in JSON, for the zero time.
func instant(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// Resealed is the result of sealing all values with the current key.
type Resealed struct {
	// Count is the number of values that were sealed with another key.
	Count int `json:"resealed"`
}
