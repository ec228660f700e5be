package iam

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/secret"
)

// A Project owns namespaces. It belongs to an organization.
type Project struct {
	ID             string
	OrganizationID string
	Name           string
	Description    string `json:",omitempty"`
	CreatedAt      time.Time
	// UpdatedAt is zero for a project that was never changed.
	UpdatedAt time.Time `json:",omitzero"`
}

// ObjectID implements the store's idea of an object.
func (p Project) ObjectID() string { return p.ID }

// An APIKey opens the control plane for one project.
type APIKey struct {
	// AccessKey names the key, openly; the secret key proves who holds it.
	AccessKey string
	// Digest is the SHA-256 of the secret key, which itself is not kept. The
	// secret key is a random UUID of 122 bits, so that a fast hash is enough.
	Digest SecretDigest
	// ProjectID is the key's default project.
	ProjectID      string
	OrganizationID string
	// Projects are the IDs of further projects that the key opens. Organization
	// reports that it opens all projects of its organization, those to come
	// included, and may make, change and delete projects.
	Projects     []string `json:",omitempty"`
	Organization bool     `json:",omitempty"`
	// Description says what the key is for.
	Description string `json:",omitempty"`
	// Permissions are the names of the permission sets that the key has.
	Permissions []string
	CreatedAt   time.Time
	// ExpiresAt is the first instant at which the key opens nothing more; zero
	// for a key that does not expire.
	ExpiresAt time.Time `json:",omitzero"`
}

// Expired tells whether the key opens nothing more.
func (k APIKey) Expired(now time.Time) bool {
	return !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt)
}

// Opens reports whether the key covers a project of an organization.
func (k APIKey) Opens(projectID, organizationID string) bool {
	return projectID == k.ProjectID || slices.Contains(k.Projects, projectID) ||
		k.Organization && organizationID == k.OrganizationID && organizationID != ""
}

// ObjectID implements the store's idea of an object.
func (k APIKey) ObjectID() string { return k.AccessKey }

// SecretDigest is the SHA-256 of a secret key.
type SecretDigest [sha256.Size]byte

// MarshalText implements encoding.TextMarshaler.
func (d SecretDigest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *SecretDigest) UnmarshalText(text []byte) error {
	_, err := hex.Decode(d[:], text[:min(len(text), hex.EncodedLen(len(d)))])
	return err
}

// NewAPIKey makes a key for a project, and its secret key, which cannot be had
// again.
func NewAPIKey(p Project, now time.Time, permissions ...string) (APIKey, secret.String) {
	secretKey := uuid.NewString()
	return APIKey{
		AccessKey: newAccessKey(), Digest: sha256.Sum256([]byte(secretKey)),
		ProjectID: p.ID, OrganizationID: p.OrganizationID, Permissions: permissions, CreatedAt: now,
	}, secret.New(secretKey)
}

// newAccessKey has the form that Scaleway's clients check: SCW and 17 upper
// case letters and digits.
func newAccessKey() string {
	// rand.Text gives 26 letters and digits of base 32.
	return "SCW" + rand.Text()[:17]
}
