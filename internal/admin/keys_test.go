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

func TestCreateKey_OpensItsProjectUntilItExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second, err := w.CreateProject(t.Context(), "second")
	if err != nil {
		t.Fatal(err)
	}
	expires := start.Add(time.Hour)
	var ending []admin.APIKey
	for name, project := range map[string]string{"by id": second.ID, "by name": "second"} {
		key := w.key(t, admin.CreateKey{Project: project, Description: name, Permissions: []string{iam.ReadOnly, iam.FullAccess, iam.ReadOnly}, ExpiresAt: expires})
		if key.ProjectID != second.ID || key.OrganizationID != first.OrganizationID || key.SecretKey == "" || len(key.Permissions) != 2 ||
			key.ExpiresAt == nil || !key.ExpiresAt.Equal(expires) || !key.CreatedAt.Equal(start) {
			t.Errorf("%s: %+v", name, key)
		}
		if err := w.opens(key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		ending = append(ending, key)
		if o := w.last(); o.Object != key.AccessKey || !o.Changes || o.Status != 200 || o.Endpoint != "POST /api-keys" {
			t.Errorf("%s: it is noted as %+v", name, o)
		}
		if strings.Contains(w.log.String(), key.SecretKey) {
			t.Errorf("%s: the log has the secret key", name)
		}
	}
	forever := w.key(t, admin.CreateKey{Permissions: []string{iam.FullAccess}})
	if forever.ProjectID != first.ID || forever.ExpiresAt != nil {
		t.Errorf("without a project: %+v", forever)
	}
	w.pass(time.Hour)
	if err := w.opens(forever); err != nil {
		t.Error(err)
	}
	for _, key := range ending {
		if err := w.opens(key); !errors.Is(err, iam.ErrExpired) {
			t.Errorf("a key that has expired: %v", err)
		}
	}
	all, err := w.Keys(t.Context(), "second")
	if err != nil || len(all) != 2 {
		t.Fatalf("%d keys of the project, %v", len(all), err)
	}
	for _, key := range all {
		if key.SecretKey != "" {
			t.Error("a list shows a secret key")
		}
	}
	if all, err := w.Keys(t.Context(), ""); err != nil || len(all) != 3 {
		t.Errorf("%d keys, %v", len(all), err)
	}
}

func TestCreateKey_RefusesWhatOpensNothing(t *testing.T) {
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
			t.Errorf("%s: there is a secret key", name)
		}
	}
	if all, err := w.Keys(t.Context(), ""); err != nil || len(all) != 0 {
		t.Errorf("%d keys are left, %v", len(all), err)
	}
	if _, err := w.Keys(t.Context(), "none"); err == nil {
		t.Error("the keys of a project that is not there are listed")
	}
}

func TestRevokeKey_OpensNothingAfterItsAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.key(t, admin.CreateKey{Permissions: []string{iam.FullAccess}})
	revoked, err := w.RevokeKey(t.Context(), key.AccessKey)
	if err != nil || revoked.AccessKey != key.AccessKey || revoked.SecretKey != "" {
		t.Fatalf("%+v, %v", revoked, err)
	}
	if err := w.opens(key); !errors.Is(err, iam.ErrUnknown) {
		t.Errorf("it opens: %v", err)
	}
	_, err = w.RevokeKey(t.Context(), key.AccessKey)
	wantCode(t, "again", err, functions.NotFound)
	if o := w.last(); o.Status != 404 || !o.Changes || o.Object != key.AccessKey {
		t.Errorf("it is noted as %+v", o)
	}
	_, err = w.RevokeKey(t.Context(), "../projects")
	wantCode(t, "a path", err, functions.NotFound)
}

func TestRotateKey_EndsTheOldKeyAfterTheOverlap(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lives, overlap time.Duration
		// ends is when the old key ends.
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
				t.Errorf("%+v", rotated)
			}
			if test.ends > 0 {
				w.pass(test.ends - 1)
				if err := w.opens(old); err != nil {
					t.Errorf("the old key has ended early: %v", err)
				}
				w.pass(1)
			}
			if err := w.opens(old); err == nil {
				t.Error("the old key still opens")
			}
			if test.lives == 0 || test.ends < test.lives {
				if err := w.opens(rotated); err != nil {
					t.Errorf("the new key: %v", err)
				}
			}
		})
	}
}

func TestRotateKey_Refuses(t *testing.T) {
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
	if err := w.opens(key); err != nil {
		t.Errorf("the key that was not rotated: %v", err)
	}
}

// Two rotations of one key at once make two keys, or one of them is told that the
// key is gone: the old key is dead either way.
func TestRotateKey_AtOnce(t *testing.T) {
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
		t.Errorf("%d rotations, %d keys, %v, want one of each", rotated, len(all), err)
	}
	if err := w.opens(old); err == nil {
		t.Error("the old key still opens")
	}
}

func TestKeys_SayWhenTheyWereUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	used, unused := w.key(t, admin.CreateKey{Permissions: []string{iam.FullAccess}}), w.key(t, admin.CreateKey{Permissions: []string{iam.FullAccess}})
	w.pass(90 * time.Second)
	if err := w.opens(used); err != nil {
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
				t.Errorf("the key was used at %v, want the minute of it", key.LastUsedAt)
			}
		case unused.AccessKey:
			if key.LastUsedAt != nil {
				t.Errorf("the unused key was used at %v", key.LastUsedAt)
			}
		}
	}
}
