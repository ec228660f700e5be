package admin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/usage"
)

// CreateKey is what a new API key is made from.
type CreateKey struct {
	// Project is the default project, by ID or name; empty for the first one.
	Project string
	// Projects are further projects that the key opens, by ID or name.
	Projects []string
	// Organization reports that the key opens all projects, those to come
	// included, and may make, change and delete projects.
	Organization bool
	Description  string
	// Permissions are the names of permission sets, at least one.
	Permissions []string
	// ExpiresAt is the first instant at which the key opens nothing more; zero
	// for a key that does not expire.
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
			return invalid("permissions", "unknown", "must be of "+strings.Join(iam.PermissionSets, ", "))
		}
	}
	if !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(now) {
		return invalid("expires_at", "constraint", "has passed: the key would open nothing")
	}
	return validText("description", c.Description)
}

// CreateKey makes an API key, and returns its secret key, which cannot be had
// again.
func (s *Service) CreateKey(ctx context.Context, c CreateKey) (iam.APIKey, secret.String, error) {
	now := s.Now()
	if err := c.validate(now); err != nil {
		return iam.APIKey{}, secret.String{}, err
	}
	// No project is deleted meanwhile.
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.project(ctx, c.Project)
	if err != nil {
		return iam.APIKey{}, secret.String{}, err
	}
	key, secretKey := iam.NewAPIKey(p, now, slices.Compact(slices.Sorted(slices.Values(c.Permissions)))...)
	key.Description, key.ExpiresAt, key.Organization = c.Description, c.ExpiresAt, c.Organization
	for _, name := range c.Projects {
		more, err := s.project(ctx, name)
		if err != nil {
			return iam.APIKey{}, secret.String{}, err
		}
		if !key.Covers(more.ID, "") {
			key.Projects = append(key.Projects, more.ID)
		}
	}
	return key, secretKey, s.Store.Update(ctx, func(tx functions.Tx) error { return tx.Put(key) })
}

// A UsedKey is an API key with its last use; the zero time if there was none.
type UsedKey struct {
	iam.APIKey

	LastUsedAt time.Time
}

// Keys returns the API keys that name a project, by its ID or its name, oldest first;
// those of all projects if none is given.
func (s *Service) Keys(ctx context.Context, project string) ([]UsedKey, error) {
	all, err := s.Store.APIKeys(ctx)
	if err != nil {
		return nil, err
	}
	if project != "" {
		p, err := s.project(ctx, project)
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(k iam.APIKey) bool { return !k.Covers(p.ID, "") })
	}
	uses, err := s.lastUses(ctx, usage.APIKeys, ids(all))
	used := make([]UsedKey, len(all))
	for i, key := range all {
		used[i] = UsedKey{key, uses[key.AccessKey]}
	}
	return used, err
}

// ids are those of objects.
func ids[T functions.Object](objects []T) []string {
	all := make([]string, len(objects))
	for i, object := range objects {
		all[i] = object.ObjectID()
	}
	return all
}

// RevokeKey revokes an API key. When it has returned, the key opens nothing.
func (s *Service) RevokeKey(ctx context.Context, accessKey string) (iam.APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.key(ctx, accessKey)
	if err != nil {
		return key, err
	}
	return key, s.Store.Update(ctx, func(tx functions.Tx) error { return tx.Delete(key) })
}

// RotateKey makes a key with the rights of another one, for as long as that was
// made for, and has the other one end after overlap. An overlap is an expiry,
// so that it ends on time though the server was stopped meanwhile; without one
// the other key is revoked in the same step.
func (s *Service) RotateKey(ctx context.Context, accessKey string, overlap time.Duration) (iam.APIKey, secret.String, error) {
	if overlap < 0 {
		return iam.APIKey{}, secret.String{}, invalid("overlap", "constraint", "must not be negative")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.key(ctx, accessKey)
	if err != nil {
		return old, secret.String{}, err
	}
	now := s.Now()
	key, secretKey := iam.NewAPIKey(iam.Project{ID: old.ProjectID, OrganizationID: old.OrganizationID}, now, old.Permissions...)
	key.Description, key.Projects, key.Organization = old.Description, old.Projects, old.Organization
	if !old.ExpiresAt.IsZero() {
		key.ExpiresAt = now.Add(old.ExpiresAt.Sub(old.CreatedAt))
	}
	return key, secretKey, s.Store.Update(ctx, func(tx functions.Tx) error {
		if overlap == 0 {
			return errors.Join(tx.Put(key), tx.Delete(old))
		}
		if end := now.Add(overlap); old.ExpiresAt.IsZero() || end.Before(old.ExpiresAt) {
			old.ExpiresAt = end
		}
		return errors.Join(tx.Put(key), tx.Put(old))
	})
}

func (s *Service) key(ctx context.Context, accessKey string) (iam.APIKey, error) {
	all, err := s.Store.APIKeys(ctx)
	if err != nil {
		return iam.APIKey{}, err
	}
	for _, key := range all {
		if key.AccessKey == accessKey {
			return key, nil
		}
	}
	return iam.APIKey{}, functions.NotFoundError(keyResource, accessKey)
}
