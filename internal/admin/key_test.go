package admin_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

func TestCreateKey_AuthenticatesUntilExpiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second, err := w.CreateProject(t.Context(), "second")
	if err != nil {
		t.Fatal(err)
	}
	expires := start.Add(time.Hour)
	var expiring []admin.APIKey
	for name, project := range map[string]string{"by id": second.ID, "by name": "second"} {
		key := w.key(t, admin.CreateKey{Project: project, Description: name, Permissions: []string{iam.ReadOnly, iam.FullAccess, iam.ReadOnly}, ExpiresAt: expires})
		if key.ProjectID != second.ID || key.OrganizationID != first.OrganizationID || key.SecretKey == "" || len(key.Permissions) != 2 ||
			key.ExpiresAt == nil || !key.ExpiresAt.Equal(expires) || !key.CreatedAt.Equal(start) {
			t.Errorf("%s: %+v", name, key)
		}
		if err := w.authenticate(key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		expiring = append(expiring, key)
		if o := w.last(); o.Object != key.AccessKey || !o.Changes || o.Status != 200 || o.Endpoint != "POST /api-keys" {
			t.Errorf("%s: observed as %+v", name, o)
		}
		if strings.Contains(w.log.String(), key.SecretKey) {
			t.Errorf("%s: the log contains the secret key", name)
		}
	}
	unlimited := w.key(t, admin.CreateKey{Permissions: []string{iam.FullAccess}})
	if unlimited.ProjectID != first.ID || unlimited.ExpiresAt != nil {
		t.Errorf("without a project: got %+v", unlimited)
	}
	w.Advance(time.Hour)
	if err := w.authenticate(unlimited); err != nil {
		t.Error(err)
	}
	for _, key := range expiring {
		if err := w.authenticate(key); !errors.Is(err, iam.ErrExpired) {
			t.Errorf("an expired key: got %v, want ErrExpired", err)
		}
	}
	all, err := w.Keys(t.Context(), "second")
	if err != nil || len(all) != 2 {
		t.Fatalf("got %d keys of the project, %v", len(all), err)
	}
	for _, key := range all {
		if key.SecretKey != "" {
			t.Error("a list contains a secret key")
		}
	}
	if all, err := w.Keys(t.Context(), ""); err != nil || len(all) != 3 {
		t.Errorf("got %d keys, %v", len(all), err)
	}
}

func TestCreateKey_RefusesInvalidRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	full := []string{iam.FullAccess}
	for name, test := range map[string]struct {
		create admin.CreateKey
		code   functions.Code
	}{
		"no permissions":      {admin.CreateKey{}, functions.InvalidArgument},
		"unknown permission":  {admin.CreateKey{Permissions: []string{"Everything"}}, functions.InvalidArgument},
		"expired already":     {admin.CreateKey{Permissions: full, ExpiresAt: start}, functions.InvalidArgument},
		"long description":    {admin.CreateKey{Permissions: full, Description: strings.Repeat("x", 201)}, functions.InvalidArgument},
		"control characters":  {admin.CreateKey{Permissions: full, Description: "a\x1b[31mb"}, functions.InvalidArgument},
		"no UTF-8":            {admin.CreateKey{Permissions: full, Description: "a\xff"}, functions.InvalidArgument},
		"no such project":     {admin.CreateKey{Permissions: full, Project: "none"}, functions.NotFound},
		"more than a request": {admin.CreateKey{Permissions: full, Description: strings.Repeat("x", 100<<10)}, functions.InvalidArgument},
	} {
		key, err := w.CreateKey(t.Context(), test.create)
		wantCode(t, name, err, test.code)
		if key.SecretKey != "" {
			t.Errorf("%s: got a secret key", name)
		}
	}
	if all, err := w.Keys(t.Context(), ""); err != nil || len(all) != 0 {
		t.Errorf("got %d keys afterwards, %v", len(all), err)
	}
	if _, err := w.Keys(t.Context(), "none"); err == nil {
		t.Error("Keys() = nil error for a missing project")
	}
}

func TestRevokeKey_RefusesKeyAfterAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.key(t, admin.CreateKey{Permissions: []string{iam.FullAccess}})
	revoked, err := w.RevokeKey(t.Context(), key.AccessKey)
	if err != nil || revoked.AccessKey != key.AccessKey || revoked.SecretKey != "" {
		t.Fatalf("RevokeKey() = %+v, %v", revoked, err)
	}
	if err := w.authenticate(key); !errors.Is(err, iam.ErrUnknown) {
		t.Errorf("the revoked key: got %v, want ErrUnknown", err)
	}
	_, err = w.RevokeKey(t.Context(), key.AccessKey)
	wantCode(t, "again", err, functions.NotFound)
	if o := w.last(); o.Status != 404 || !o.Changes || o.Object != key.AccessKey {
		t.Errorf("observed as %+v", o)
	}
	_, err = w.RevokeKey(t.Context(), "../projects")
	wantCode(t, "a path", err, functions.NotFound)
}

func TestRotateKey_ExpiresOldKeyAfterOverlap(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lives, overlap time.Duration
		// ends is the time until the old key expires.
		ends time.Duration
	}{
		"at once":                   {0, 0, 0},
		"after a while":             {0, time.Hour, time.Hour},
		"not later than it would":   {time.Minute, time.Hour, time.Minute},
		"earlier than it would":     {time.Hour, time.Minute, time.Minute},
		"at once, of one that ends": {time.Hour, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			create := admin.CreateKey{Permissions: []string{iam.ReadOnly}, Description: "of a pipeline"}
			if test.lives > 0 {
				create.ExpiresAt = start.Add(test.lives)
			}
			old := w.key(t, create)
			rotated, err := w.RotateKey(t.Context(), old.AccessKey, test.overlap)
			if err != nil {
				t.Fatal(err)
			}
			if rotated.AccessKey == old.AccessKey || rotated.Description != old.Description || rotated.ProjectID != old.ProjectID ||
				strings.Join(rotated.Permissions, ",") != iam.ReadOnly || (rotated.ExpiresAt == nil) != (test.lives == 0) {
				t.Errorf("RotateKey() = %+v", rotated)
			}
			if test.ends > 0 {
				w.Advance(test.ends - 1)
				if err := w.authenticate(old); err != nil {
					t.Errorf("the old key expired early: %v", err)
				}
				w.Advance(1)
			}
			if err := w.authenticate(old); err == nil {
				t.Error("the old key is still accepted")
			}
			if test.lives == 0 || test.ends < test.lives {
				if err := w.authenticate(rotated); err != nil {
					t.Errorf("the new key: %v", err)
				}
			}
		})
	}
}

func TestRotateKey_RefusesInvalidRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.key(t, admin.CreateKey{Permissions: []string{iam.FullAccess}})
	_, err := w.RotateKey(t.Context(), key.AccessKey, -time.Second)
	wantCode(t, "a negative overlap", err, functions.InvalidArgument)
	_, err = w.RotateKey(t.Context(), "SCWNONE", time.Second)
	wantCode(t, "no such key", err, functions.NotFound)
	if all, err := w.Keys(t.Context(), ""); err != nil || len(all) != 1 {
		t.Errorf("%d keys, %v", len(all), err)
	}
	if err := w.authenticate(key); err != nil {
		t.Errorf("the key that was not rotated: %v", err)
	}
}

// TestRotateKey_SucceedsOnceForConcurrentCalls: the other calls find the old key gone.
func TestRotateKey_SucceedsOnceForConcurrentCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.key(t, admin.CreateKey{Permissions: []string{iam.FullAccess}})
	outcomes := make(chan error, 8)
	for range cap(outcomes) {
		go func() {
			_, err := w.RotateKey(t.Context(), old.AccessKey, 0)
			outcomes <- err
		}()
	}
	rotated := 0
	for range cap(outcomes) {
		if err := <-outcomes; err == nil {
			rotated++
		} else if functions.CodeOf(err) != functions.NotFound {
			t.Error(err)
		}
	}
	all, err := w.Keys(t.Context(), "")
	if err != nil || rotated != 1 || len(all) != 1 {
		t.Errorf("got %d rotations and %d keys, %v, want one of each", rotated, len(all), err)
	}
	if err := w.authenticate(old); err == nil {
		t.Error("the old key is still accepted")
	}
}

func TestKeys_ContainLastUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	used, unused := w.key(t, admin.CreateKey{Permissions: []string{iam.FullAccess}}), w.key(t, admin.CreateKey{Permissions: []string{iam.FullAccess}})
	w.Advance(90 * time.Second)
	if err := w.authenticate(used); err != nil {
		t.Fatal(err)
	}
	all, err := w.Keys(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range all {
		switch key.AccessKey {
		case used.AccessKey:
			if key.LastUsedAt == nil || !key.LastUsedAt.Equal(start.Add(time.Minute)) {
				t.Errorf("the last use is %v, want its minute", key.LastUsedAt)
			}
		case unused.AccessKey:
			if key.LastUsedAt != nil {
				t.Errorf("the last use of the unused key is %v", key.LastUsedAt)
			}
		}
	}
}

func TestUpdateKey_ChangesPermissionsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.key(t, admin.CreateKey{Permissions: []string{iam.ReadOnly}, Description: "before", ExpiresAt: start.Add(time.Hour)})
	may := func() bool {
		found, err := w.directory.Authenticate(key.SecretKey, w.Now())
		return err == nil && found.May(iam.Write)
	}
	if may() {
		t.Error("a read-only key may write")
	}
	changed, err := w.UpdateKey(t.Context(), key.AccessKey, iam.KeyChange{Permissions: []string{iam.FullAccess, iam.FullAccess}})
	if err != nil || changed.SecretKey != "" || changed.Description != "before" || len(changed.Permissions) != 1 || !may() {
		t.Errorf("got %+v, %v, want the new permissions only", changed, err)
	}
	changed, err = w.UpdateKey(t.Context(), key.AccessKey, iam.KeyChange{Description: new("after"), ExpiresAt: new(start.Add(2 * time.Hour))})
	if err != nil || changed.Description != "after" || !changed.ExpiresAt.Equal(start.Add(2*time.Hour)) || !may() {
		t.Errorf("got %+v, %v, want the new description and expiry", changed, err)
	}
	w.Advance(3 * time.Hour)
	if may() {
		t.Error("the key has not expired")
	}
	if changed, err = w.UpdateKey(t.Context(), key.AccessKey, iam.KeyChange{Description: new("late")}); err != nil || changed.Description != "late" {
		t.Errorf("change the description of an expired key: got %+v, %v", changed, err)
	}
	if changed, err = w.UpdateKey(t.Context(), key.AccessKey, iam.KeyChange{ExpiresAt: new(time.Time)}); err != nil || changed.ExpiresAt != nil || !may() {
		t.Errorf("got %+v, %v, want a key that does not expire", changed, err)
	}
	for name, change := range map[string]iam.KeyChange{
		"unknown permission": {Permissions: []string{"Everything"}},
		"past":               {ExpiresAt: new(start)},
		"control characters": {Description: new("a\x1b")},
	} {
		_, err := w.UpdateKey(t.Context(), key.AccessKey, change)
		wantCode(t, name, err, functions.InvalidArgument)
	}
	_, err = w.UpdateKey(t.Context(), "SCWNONE", iam.KeyChange{})
	wantCode(t, "no such key", err, functions.NotFound)
}
