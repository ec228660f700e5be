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

// An APIKey grants its holder permissions on the objects of its projects.
type APIKey struct {
	// AccessKey is the public name of the key. The holder authenticates with the secret
	// key.
	AccessKey string
	// Digest is the SHA-256 of the secret key, which is not stored. The secret key has
	// 122 random bits, so that a fast hash is sufficient.
	Digest SecretDigest
	// ProjectID is the key's default project.
	ProjectID      string
	OrganizationID string
	// Projects are the IDs of further projects that the key covers.
	Projects []string `json:",omitempty"`
	// Organization reports whether the key covers all current and future projects of
	// its organization, and may create, change and delete projects.
	Organization bool   `json:",omitempty"`
	Description  string `json:",omitempty"`
	// Permissions are the names of the key's permission sets.
	Permissions []string
	CreatedAt   time.Time
	// ExpiresAt is the first instant at which the key is no longer valid; zero for a key
	// that does not expire.
	ExpiresAt time.Time `json:",omitzero"`
}

// Expired reports whether the key has expired at the given time.
func (k APIKey) Expired(now time.Time) bool {
	return !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt)
}

// Covers reports whether the key covers a project of an organization. An empty
// organizationID matches no key of a whole organization.
func (k APIKey) Covers(projectID, organizationID string) bool {
	return projectID == k.ProjectID || slices.Contains(k.Projects, projectID) ||
		k.Organization && organizationID == k.OrganizationID && organizationID != ""
}

// ObjectID returns the ID by which the store identifies the key: its access key.
func (k APIKey) ObjectID() string { return k.AccessKey }

// SecretDigest is the SHA-256 of a secret key.
type SecretDigest [sha256.Size]byte

// MarshalText implements encoding.TextMarshaler. It encodes the digest in hexadecimal.
func (d SecretDigest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *SecretDigest) UnmarshalText(text []byte) error {
	_, err := hex.Decode(d[:], text[:min(len(text), hex.EncodedLen(len(d)))])
	return err
}

// NewAPIKey creates a key for a project with the given permission sets. It returns the key
// and its secret key, which is not stored.
func NewAPIKey(p Project, now time.Time, permissions ...string) (APIKey, secret.String) {
	secretKey := uuid.NewString()
	return APIKey{
		AccessKey: newAccessKey(), Digest: sha256.Sum256([]byte(secretKey)),
		ProjectID: p.ID, OrganizationID: p.OrganizationID, Permissions: permissions, CreatedAt: now,
	}, secret.New(secretKey)
}

// newAccessKey returns a random access key in the form that Scaleway's clients require:
// SCW and 17 upper-case letters and digits.
func newAccessKey() string {
	// rand.Text returns 26 characters of base 32.
	return "SCW" + rand.Text()[:17]
}
