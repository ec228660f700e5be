package admin

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/usage"
)

// CreateKey describes a new API key.
type CreateKey struct {
	// Project is the default project, by ID or name; empty for the first one.
	Project string
	// Projects are further projects that the key covers, by ID or name.
	Projects []string
	// Organization makes the key cover all projects, including future ones, and
	// allows it to create, change and delete projects.
	Organization bool
	Description  string
	// Permissions are the names of at least one permission set.
	Permissions []string
	// ExpiresAt is the first instant at which the key is refused; zero if it does not
	// expire.
	ExpiresAt time.Time
}

func (c CreateKey) validate(now time.Time) error {
	if slices.Contains(c.Projects, "") {
		return invalid("projects", "required", "must not contain an empty name")
	}
	if len(c.Permissions) == 0 {
		return invalid("permissions", "required", "is required: "+strings.Join(iam.PermissionSets, ", "))
	}
	for _, set := range c.Permissions {
		if !slices.Contains(iam.PermissionSets, set) {
			return invalid("permissions", "unknown", "must be among "+strings.Join(iam.PermissionSets, ", "))
		}
	}
	if !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(now) {
		return invalid("expires_at", "constraint", "is in the past: give a later time")
	}
	return validText("description", c.Description)
}

// CreateKey creates an API key and returns it with its secret key, which is not
// stored.
func (s *Service) CreateKey(ctx context.Context, c CreateKey) (iam.APIKey, secret.String, error) {
	now := s.Now()
	if err := c.validate(now); err != nil {
		return iam.APIKey{}, secret.String{}, err
	}
	key, secretKey := iam.NewAPIKey(iam.Project{}, now, slices.Compact(slices.Sorted(slices.Values(c.Permissions)))...)
	key.Description, key.ExpiresAt, key.Organization = c.Description, c.ExpiresAt, c.Organization
	key, err := update(ctx, s.Store, func(tx store.Tx) (iam.APIKey, error) {
		p, err := project(tx, c.Project)
		if err != nil {
			return iam.APIKey{}, err
		}
		key := key
		key.ProjectID, key.OrganizationID = p.ID, p.OrganizationID
		for _, name := range c.Projects {
			more, err := project(tx, name)
			if err != nil {
				return iam.APIKey{}, err
			}
			if !key.Covers(more.ID, "") {
				key.Projects = append(key.Projects, more.ID)
			}
		}
		return key, tx.Put(key)
	})
	if err != nil {
		return iam.APIKey{}, secret.String{}, err
	}
	return key, secretKey, nil
}

// A UsedKey is an API key with its last use, the zero time without a use.
type UsedKey struct {
	iam.APIKey

	LastUsedAt time.Time
}

// Keys returns the API keys that name a project, which is given by ID or name, or all
// API keys if name is empty, oldest first.
func (s *Service) Keys(ctx context.Context, name string) ([]UsedKey, error) {
	all, err := view(ctx, s.Store, func(tx store.Tx) ([]iam.APIKey, error) {
		all, err := tx.APIKeys()
		if err != nil || name == "" {
			return all, err
		}
		p, err := project(tx, name)
		return slices.DeleteFunc(all, func(k iam.APIKey) bool { return !k.Covers(p.ID, "") }), err
	})
	if err != nil {
		return nil, err
	}
	uses, err := s.lastUses(ctx, usage.APIKeys, ids(all))
	used := make([]UsedKey, len(all))
	for i, key := range all {
		used[i] = UsedKey{key, uses[key.AccessKey]}
	}
	return used, err
}

// ids returns the IDs of objects.
func ids[T functions.Object](objects []T) []string {
	all := make([]string, len(objects))
	for i, object := range objects {
		all[i] = object.ObjectID()
	}
	return all
}

// RevokeKey revokes an API key. When it returns, the key is refused.
func (s *Service) RevokeKey(ctx context.Context, accessKey string) (iam.APIKey, error) {
	return update(ctx, s.Store, func(tx store.Tx) (iam.APIKey, error) {
		key, err := tx.APIKey(accessKey)
		if err != nil {
			return key, err
		}
		return key, tx.Delete(key)
	})
}

// RotateKey creates a key with the same permissions, projects and lifetime as an
// existing key, and returns it with its secret key. The existing key expires after
// overlap, also if the server does not run then; without an overlap it is revoked
// in the same transaction.
func (s *Service) RotateKey(ctx context.Context, accessKey string, overlap time.Duration) (iam.APIKey, secret.String, error) {
	if overlap < 0 {
		return iam.APIKey{}, secret.String{}, invalid("overlap", "constraint", "must not be negative")
	}
	now := s.Now()
	fresh, secretKey := iam.NewAPIKey(iam.Project{}, now)
	key, err := update(ctx, s.Store, func(tx store.Tx) (iam.APIKey, error) {
		old, err := tx.APIKey(accessKey)
		if err != nil {
			return iam.APIKey{}, err
		}
		key := old
		key.AccessKey, key.Digest, key.CreatedAt = fresh.AccessKey, fresh.Digest, now
		if !old.ExpiresAt.IsZero() {
			key.ExpiresAt = now.Add(old.ExpiresAt.Sub(old.CreatedAt))
		}
		if err := tx.Put(key); err != nil {
			return iam.APIKey{}, err
		}
		if overlap == 0 {
			return key, tx.Delete(old)
		}
		if end := now.Add(overlap); old.ExpiresAt.IsZero() || end.Before(old.ExpiresAt) {
			old.ExpiresAt = end
		}
		return key, tx.Put(old)
	})
	if err != nil {
		return iam.APIKey{}, secret.String{}, err
	}
	return key, secretKey, nil
}
