package iam

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
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

// KeySpec describes a new API key.
type KeySpec struct {
	Description string
	// Permissions are the names of at least one permission set. Duplicates are removed.
	Permissions []string
	// Organization makes the key cover all projects of its organization.
	Organization bool
	// ExpiresAt is the first instant at which the key is no longer valid; zero for a key
	// that does not expire.
	ExpiresAt time.Time
}

// IssueAPIKey creates a key without a project; AssignTo gives it one. It returns the key
// and its secret key, which is not stored. Returns a FieldError for an invalid field.
func IssueAPIKey(spec KeySpec, now time.Time) (APIKey, secret.String, error) {
	if err := spec.check(now); err != nil {
		return APIKey{}, secret.String{}, err
	}
	key, secretKey := NewAPIKey(Project{}, now, slices.Compact(slices.Sorted(slices.Values(spec.Permissions)))...)
	key.Description, key.ExpiresAt, key.Organization = spec.Description, spec.ExpiresAt, spec.Organization
	return key, secretKey, nil
}

func (s KeySpec) check(now time.Time) error {
	if len(s.Permissions) == 0 {
		return &FieldError{"permissions", "required", "is required: " + strings.Join(PermissionSets, ", ")}
	}
	for _, set := range s.Permissions {
		if !slices.Contains(PermissionSets, set) {
			return &FieldError{"permissions", "unknown", "must be among " + strings.Join(PermissionSets, ", ")}
		}
	}
	if !s.ExpiresAt.IsZero() && !s.ExpiresAt.After(now) {
		return &FieldError{"expires_at", "constraint", "is in the past: give a later time"}
	}
	return checkText("description", s.Description)
}

// A KeyChange changes an API key. Nil fields stay as they are.
type KeyChange struct {
	Description *string
	// Permissions are as in KeySpec.
	Permissions []string
	// ExpiresAt is as in KeySpec: the zero time removes the expiry.
	ExpiresAt *time.Time
}

// Change returns the key with other fields. The secret key stays the same. Returns a
// FieldError for an invalid field.
func (k APIKey) Change(c KeyChange, now time.Time) (APIKey, error) {
	changed := KeySpec{Description: k.Description, Permissions: k.Permissions}
	if c.Description != nil {
		changed.Description = *c.Description
	}
	if c.Permissions != nil {
		changed.Permissions = slices.Compact(slices.Sorted(slices.Values(c.Permissions)))
	}
	if c.ExpiresAt != nil {
		changed.ExpiresAt = *c.ExpiresAt
	}
	if err := changed.check(now); err != nil {
		return k, err
	}
	k.Description, k.Permissions = changed.Description, changed.Permissions
	if c.ExpiresAt != nil {
		k.ExpiresAt = changed.ExpiresAt
	}
	return k, nil
}

// AssignTo returns the key with a default project and further projects that it covers. The
// organization of the key becomes that of the default project.
func (k APIKey) AssignTo(project Project, further ...Project) APIKey {
	k.ProjectID, k.OrganizationID, k.Projects = project.ID, project.OrganizationID, nil
	for _, p := range further {
		if !k.Covers(p.ID, "") {
			k.Projects = append(k.Projects, p.ID)
		}
	}
	return k
}

// Rotate returns a successor with the permissions, projects and lifetime of the key, and
// the secret key of the successor. The key itself does not change.
func (k APIKey) Rotate(now time.Time) (APIKey, secret.String) {
	fresh, secretKey := NewAPIKey(Project{}, now)
	next := k
	next.AccessKey, next.Digest, next.CreatedAt = fresh.AccessKey, fresh.Digest, now
	if !k.ExpiresAt.IsZero() {
		next.ExpiresAt = now.Add(k.ExpiresAt.Sub(k.CreatedAt))
	}
	return next, secretKey
}

// ExpireBy returns the key with an expiry at end, or its present expiry if that is
// earlier.
func (k APIKey) ExpireBy(end time.Time) APIKey {
	if k.ExpiresAt.IsZero() || end.Before(k.ExpiresAt) {
		k.ExpiresAt = end
	}
	return k
}

// newAccessKey returns a random access key in the form that Scaleway's clients require:
// SCW and 17 upper-case letters and digits.
func newAccessKey() string {
	// rand.Text returns 26 characters of base 32.
	return "SCW" + rand.Text()[:17]
}
