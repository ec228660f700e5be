package iam_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/iam"
)

var start = time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)

func TestMay_FollowsPermissionSets(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		permissions       []string
		read, write, call bool
	}{
		"full access":          {[]string{iam.FullAccess}, true, true, true},
		"read only":            {[]string{iam.ReadOnly}, true, false, false},
		"private access":       {[]string{iam.PrivateAccess}, false, false, true},
		"two sets":             {[]string{iam.ReadOnly, iam.PrivateAccess}, true, false, true},
		"no set":               {nil, false, false, false},
		"of another product":   {[]string{"ObjectStorageFullAccess"}, false, false, false},
		"other letter case":    {[]string{"functionsfullaccess"}, false, false, false},
		"unknown and full set": {[]string{"", iam.FullAccess}, true, true, true},
	} {
		key := iam.APIKey{Permissions: test.permissions}
		for action, want := range map[iam.Action]bool{iam.Read: test.read, iam.Write: test.write, iam.Call: test.call} {
			if got := key.May(action); got != want {
				t.Errorf("%s: May(%s): got %t, want %t", name, action, got, want)
			}
		}
	}
}

func TestDirectory_RefusesExpiredAndDeletedKeys(t *testing.T) {
	t.Parallel()
	directory := iam.NewDirectory()
	key, secretKey := iam.NewAPIKey(iam.Project{ID: "p"}, start, iam.FullAccess)
	key.ExpiresAt = start.Add(time.Minute)
	directory.Apply(key, false)
	for name, test := range map[string]struct {
		at   time.Time
		want error
	}{
		"at creation":   {start, nil},
		"before expiry": {key.ExpiresAt.Add(-1), nil},
		"at expiry":     {key.ExpiresAt, iam.ErrExpired},
		"after expiry":  {key.ExpiresAt.Add(time.Hour), iam.ErrExpired},
	} {
		if got, err := directory.Recheck(key.AccessKey, test.at); !errors.Is(err, test.want) || got.AccessKey != key.AccessKey {
			t.Errorf("%s: Recheck: got %q, %v, want %q, %v", name, got.AccessKey, err, key.AccessKey, test.want)
		}
		got, err := directory.Authenticate(secretKey.Reveal(), test.at)
		if !errors.Is(err, test.want) || got.AccessKey != key.AccessKey {
			t.Errorf("%s: Authenticate: got %q, %v, want %q, %v", name, got.AccessKey, err, key.AccessKey, test.want)
		}
	}
	directory.Apply(key, true)
	if got, err := directory.Authenticate(secretKey.Reveal(), start); !errors.Is(err, iam.ErrUnknown) || got.AccessKey != "" {
		t.Errorf("deleted key: Authenticate: got %q, %v, want no key and ErrUnknown", got.AccessKey, err)
	}
	for _, accessKey := range []string{key.AccessKey, ""} {
		if got, err := directory.Recheck(accessKey, start); !errors.Is(err, iam.ErrUnknown) || got.AccessKey != "" {
			t.Errorf("deleted key: Recheck(%q): got %q, %v, want no key and ErrUnknown", accessKey, got.AccessKey, err)
		}
	}
}

// A field that is renamed would be lost when a server opens an existing database.
func TestAPIKey_KeepsStoredForm(t *testing.T) {
	t.Parallel()
	const digest = `"0100000000000000000000000000000000000000000000000000000000000000"`
	key := iam.APIKey{
		AccessKey: "SCW1", Digest: iam.SecretDigest{1}, ProjectID: "p", OrganizationID: "o", Permissions: []string{iam.ReadOnly}, CreatedAt: start,
	}
	long := key
	long.Description, long.ExpiresAt = "d", start.Add(time.Hour)
	const first = `{"AccessKey":"SCW1","Digest":` + digest + `,"ProjectID":"p","OrganizationID":"o",`
	for want, key := range map[string]iam.APIKey{
		first + `"Permissions":["FunctionsReadOnly"],"CreatedAt":"2026-07-03T13:00:00Z"}`:                                                      key,
		first + `"Description":"d","Permissions":["FunctionsReadOnly"],"CreatedAt":"2026-07-03T13:00:00Z","ExpiresAt":"2026-07-03T14:00:00Z"}`: long,
	} {
		got, err := json.Marshal(key)
		if err != nil || string(got) != want {
			t.Errorf("encoded key: got\n%s, %v, want\n%s", got, err, want)
		}
		var read iam.APIKey
		if err := json.Unmarshal(got, &read); err != nil || read.Digest != key.Digest || !read.ExpiresAt.Equal(key.ExpiresAt) {
			t.Errorf("decoded key: got %+v, %v, want %+v", read, err, key)
		}
	}
}

func TestIssueAPIKey_RefusesInvalidFields(t *testing.T) {
	t.Parallel()
	full := []string{iam.FullAccess}
	for name, test := range map[string]struct {
		spec  iam.KeySpec
		field string
	}{
		"no permissions":     {iam.KeySpec{}, "permissions"},
		"unknown permission": {iam.KeySpec{Permissions: []string{iam.FullAccess, "Everything"}}, "permissions"},
		"expired":            {iam.KeySpec{Permissions: full, ExpiresAt: start}, "expires_at"},
		"two lines":          {iam.KeySpec{Permissions: full, Description: "a\nb"}, "description"},
	} {
		_, _, err := iam.IssueAPIKey(test.spec, start)
		if field, ok := errors.AsType[*iam.FieldError](err); !ok || field.Field != test.field {
			t.Errorf("%s: got %v, want the field %s", name, err, test.field)
		}
	}
	key, secretKey, err := iam.IssueAPIKey(iam.KeySpec{Permissions: []string{iam.ReadOnly, iam.FullAccess, iam.ReadOnly}}, start)
	if err != nil || secretKey.Reveal() == "" || !slices.Equal(key.Permissions, []string{iam.FullAccess, iam.ReadOnly}) {
		t.Errorf("got %+v, %v, want both permission sets once", key, err)
	}
}

func TestAssignTo_CoversEachProjectOnce(t *testing.T) {
	t.Parallel()
	project := func(id string) iam.Project { return iam.Project{ID: id, OrganizationID: "o"} }
	key := iam.APIKey{}.AssignTo(project("a"), project("b"), project("a"), project("b"))
	if key.ProjectID != "a" || key.OrganizationID != "o" || !slices.Equal(key.Projects, []string{"b"}) {
		t.Errorf("got %+v, want the project a and the further project b", key)
	}
}

func TestRotate_KeepsGrantAndLifetime(t *testing.T) {
	t.Parallel()
	later := start.Add(48 * time.Hour)
	for name, test := range map[string]struct{ expiresAt, want time.Time }{
		"without expiry": {},
		"with expiry":    {start.Add(72 * time.Hour), later.Add(72 * time.Hour)},
	} {
		old, oldSecret := iam.NewAPIKey(iam.Project{ID: "p", OrganizationID: "o"}, start, iam.ReadOnly)
		old.Projects, old.Organization, old.Description, old.ExpiresAt = []string{"q"}, true, "d", test.expiresAt
		got, secretKey := old.Rotate(later)
		if got.AccessKey == old.AccessKey || got.Digest == old.Digest || secretKey.Reveal() == oldSecret.Reveal() {
			t.Errorf("%s: the new key has credentials of the old one", name)
		}
		want := old
		want.AccessKey, want.Digest, want.CreatedAt, want.ExpiresAt = got.AccessKey, got.Digest, later, test.want
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestExpireBy_NeverExtends(t *testing.T) {
	t.Parallel()
	end := start.Add(time.Hour)
	for name, test := range map[string]struct{ before, want time.Time }{
		"without expiry": {time.Time{}, end},
		"later expiry":   {end.Add(time.Hour), end},
		"earlier expiry": {start, start},
	} {
		if got := (iam.APIKey{ExpiresAt: test.before}).ExpireBy(end).ExpiresAt; !got.Equal(test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}
