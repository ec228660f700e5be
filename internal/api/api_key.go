package api

import (
	"net/http"

	"github.com/jeton-dev/jeton/internal/functions"
)

// apiKeyResponse is an API key of Scaleway's IAM API, of which Jeton implements only the
// lookup of the caller's own key. It has no user_id and no application_id: Jeton has
// neither users nor applications.
type apiKeyResponse struct {
	AccessKey        string   `json:"access_key"`
	SecretKey        nullable `json:"secret_key"`
	Description      string   `json:"description"`
	CreatedAt        stamp    `json:"created_at"`
	UpdatedAt        stamp    `json:"updated_at"`
	ExpiresAt        stamp    `json:"expires_at"`
	DefaultProjectID string   `json:"default_project_id"`
	Editable         bool     `json:"editable"`
	Deletable        bool     `json:"deletable"`
	Managed          bool     `json:"managed"`
	CreationIP       string   `json:"creation_ip"`
}

func (a *API) getAPIKey(r *http.Request, _ functions.Scope) (any, error) {
	key := infoOf(r).key
	if named := r.PathValue("access_key"); named != key.AccessKey {
		return nil, missing{"api_key", truncate(named, 200)}
	}
	return apiKeyResponse{
		AccessKey: key.AccessKey, Description: key.Description, DefaultProjectID: key.ProjectID,
		CreatedAt: stamp{key.CreatedAt, false}, UpdatedAt: stamp{key.CreatedAt, false}, ExpiresAt: stamp{key.ExpiresAt, false},
	}, nil
}
