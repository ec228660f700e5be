package admin

import (
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/secret"
)

// Project is a project as the socket and --json show it.
type Project struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	OrganizationID string    `json:"organization_id"`
	CreatedAt      time.Time `json:"created_at"`
}

// APIKey is an API key as the socket and --json show it: whole, but for its
// digest.
type APIKey struct {
	AccessKey string `json:"access_key"`
	// SecretKey is there in the answer that has made it, and never again.
	SecretKey      string     `json:"secret_key,omitempty"`
	ProjectID      string     `json:"project_id"`
	OrganizationID string     `json:"organization_id"`
	Description    string     `json:"description"`
	Permissions    []string   `json:"permissions"`
	CreatedAt      time.Time  `json:"created_at"`
	ExpiresAt      *time.Time `json:"expires_at"`
}

// The requests of the socket.
type (
	createProjectRequest struct {
		Name string `json:"name"`
	}
	createKeyRequest struct {
		Project     string    `json:"project"`
		Description string    `json:"description"`
		Permissions []string  `json:"permissions"`
		ExpiresAt   time.Time `json:"expires_at,omitzero"`
	}
	rotateKeyRequest struct {
		Overlap time.Duration `json:"overlap"` // nanoseconds
	}
	// failure is the answer to what went wrong.
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
		AccessKey: k.AccessKey, ProjectID: k.ProjectID, OrganizationID: k.OrganizationID, Description: k.Description,
		Permissions: k.Permissions, CreatedAt: k.CreatedAt, ExpiresAt: instant(k.ExpiresAt),
	}
}

// encodeIssued shows the secret key, to the one who has asked for it.
func encodeIssued(k iam.APIKey, secretKey secret.String) APIKey {
	encoded := encodeKey(k)
	encoded.SecretKey = secretKey.Reveal()
	return encoded
}

// instant is null in JSON where there is none.
func instant(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
