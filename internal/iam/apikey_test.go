package iam_test

import (
	"encoding/json"
	"errors"
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
