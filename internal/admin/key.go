package admin

import (
	"context"
	"slices"
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

// CreateKey creates an API key and returns it with its secret key, which is not
// stored.
func (s *Service) CreateKey(ctx context.Context, c CreateKey) (iam.APIKey, secret.String, error) {
	if slices.Contains(c.Projects, "") {
		return iam.APIKey{}, secret.String{}, invalid("projects", "required", "must not contain an empty name")
	}
	key, secretKey, err := iam.IssueAPIKey(iam.KeySpec{
		Description: c.Description, Permissions: c.Permissions, Organization: c.Organization, ExpiresAt: c.ExpiresAt,
	}, s.config.Now())
	if err != nil {
		return iam.APIKey{}, secret.String{}, refused(err)
	}
	key, err = update(ctx, s.config.Store, func(tx store.Tx) (iam.APIKey, error) {
		p, err := project(tx, c.Project)
		if err != nil {
			return iam.APIKey{}, err
		}
		further := make([]iam.Project, len(c.Projects))
		for i, name := range c.Projects {
			if further[i], err = project(tx, name); err != nil {
				return iam.APIKey{}, err
			}
		}
		key := key.AssignTo(p, further...)
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
	all, err := view(ctx, s.config.Store, func(tx store.Tx) ([]iam.APIKey, error) {
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

// UpdateKey changes an API key. When it returns, requests have the new permissions.
func (s *Service) UpdateKey(ctx context.Context, accessKey string, change iam.KeyChange) (iam.APIKey, error) {
	key, err := update(ctx, s.config.Store, func(tx store.Tx) (iam.APIKey, error) {
		key, err := tx.APIKey(accessKey)
		if err != nil {
			return key, err
		}
		if key, err = key.Change(change, s.config.Now()); err != nil {
			return key, err
		}
		return key, tx.Put(key)
	})
	if err != nil {
		return iam.APIKey{}, refused(err)
	}
	return key, nil
}

// RevokeKey revokes an API key. When it returns, the key is refused.
func (s *Service) RevokeKey(ctx context.Context, accessKey string) (iam.APIKey, error) {
	return update(ctx, s.config.Store, func(tx store.Tx) (iam.APIKey, error) {
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
	now := s.config.Now()
	var secretKey secret.String
	key, err := update(ctx, s.config.Store, func(tx store.Tx) (iam.APIKey, error) {
		old, err := tx.APIKey(accessKey)
		if err != nil {
			return iam.APIKey{}, err
		}
		// The transaction may run again: the secret key is that of the last run.
		var key iam.APIKey
		key, secretKey = old.Rotate(now)
		if err := tx.Put(key); err != nil {
			return iam.APIKey{}, err
		}
		if overlap == 0 {
			return key, tx.Delete(old)
		}
		return key, tx.Put(old.ExpireBy(now.Add(overlap)))
	})
	if err != nil {
		return iam.APIKey{}, secret.String{}, err
	}
	return key, secretKey, nil
}
