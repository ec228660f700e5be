package iam

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/usage"
)

// The errors of Authenticate and Recheck. The first two do not disclose which keys exist;
// Authenticate returns ErrExpired only for the secret key of an existing key.
var (
	ErrMalformed = errors.New("the secret key is missing or is not a UUID")
	ErrUnknown   = errors.New("no API key has this secret key")
	ErrExpired   = errors.New("the API key has expired")
)

// A Directory is an index of all projects and API keys, updated by Apply from the store's
// changes. A deleted key is unknown as soon as Apply returns. It is safe for concurrent
// use.
type Directory struct {
	mu       sync.RWMutex
	projects map[string]Project
	// organizations maps the ID of an organization to the IDs of its projects, oldest
	// first.
	organizations map[string][]string
	keys          map[SecretDigest]*known
	// digests maps access keys to the digests of the keys.
	digests map[string]SecretDigest
}

// known is an API key with the time of its last use.
type known struct {
	APIKey

	used usage.Stamp
}

// NewDirectory returns an empty directory.
func NewDirectory() *Directory {
	return &Directory{
		projects: map[string]Project{}, organizations: map[string][]string{},
		keys: map[SecretDigest]*known{}, digests: map[string]SecretDigest{},
	}
}

// Apply applies a change of an object. It ignores objects other than projects and API
// keys.
func (d *Directory) Apply(object any, deleted bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch o := object.(type) {
	case Project:
		if deleted {
			delete(d.projects, o.ID)
		} else {
			d.projects[o.ID] = o
		}
		d.listProjects(o.OrganizationID)
	case APIKey:
		d.applyKey(o, deleted)
	}
}

// Reload starts a new directory. add adds one object to it. swap replaces the
// contents of d; objects that were not added are removed.
func (d *Directory) Reload() (add func(object any), swap func()) {
	fresh := NewDirectory()
	add = func(object any) { fresh.Apply(object, false) }
	swap = func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		for digest, key := range fresh.keys {
			// The old entry has the last use, which may not be stored yet.
			if before := d.keys[digest]; before != nil {
				before.APIKey = key.APIKey
				fresh.keys[digest] = before
			}
		}
		d.projects, d.organizations, d.keys, d.digests = fresh.projects, fresh.organizations, fresh.keys, fresh.digests
	}
	return add, swap
}

// listProjects rebuilds the list of an organization's projects. It does not modify the
// previous list, which Visible may have returned. d.mu must be locked.
func (d *Directory) listProjects(organization string) {
	var all []Project
	for _, p := range d.projects {
		if p.OrganizationID == organization {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Project) int { return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	ids := make([]string, len(all))
	for i, p := range all {
		ids[i] = p.ID
	}
	d.organizations[organization] = ids
}

// First returns the oldest project, which the server has created, or the zero Project.
func (d *Directory) First() Project {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var first Project
	for _, p := range d.projects {
		if first.ID == "" || cmp.Or(p.CreatedAt.Compare(first.CreatedAt), cmp.Compare(p.ID, first.ID)) < 0 {
			first = p
		}
	}
	return first
}

// Visible returns the IDs of all projects that a key covers, or nil if it covers only its
// default project. The caller must not modify the list.
func (d *Directory) Visible(key APIKey) []string {
	switch {
	case key.Organization:
		d.mu.RLock()
		defer d.mu.RUnlock()
		return d.organizations[key.OrganizationID]
	case len(key.Projects) > 0:
		return append([]string{key.ProjectID}, key.Projects...)
	}
	return nil
}

func (d *Directory) applyKey(key APIKey, deleted bool) {
	before := d.keys[key.Digest]
	d.digests[key.AccessKey] = key.Digest
	switch {
	case deleted:
		delete(d.keys, key.Digest)
		delete(d.digests, key.AccessKey)
	case before != nil:
		before.APIKey = key
	default:
		d.keys[key.Digest] = &known{APIKey: key}
	}
}

// Uses returns the keys that were used since the previous call of Uses, with the time of
// their last use.
func (d *Directory) Uses() []usage.Use {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var all []usage.Use
	for _, key := range d.keys {
		if at, used := key.used.Take(); used {
			all = append(all, usage.Use{ID: key.AccessKey, At: at})
		}
	}
	return all
}

// Project returns the project with the given ID, or the zero Project.
func (d *Directory) Project(id string) Project {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.projects[id]
}

// Authenticate returns the API key with the given secret key. It returns ErrMalformed or
// ErrUnknown, or the key together with ErrExpired.
func (d *Directory) Authenticate(secretKey string, now time.Time) (APIKey, error) {
	if len(secretKey) != 36 || uuid.Validate(secretKey) != nil {
		return APIKey{}, ErrMalformed
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.use(sha256.Sum256([]byte(secretKey)), now)
}

// Recheck returns the API key with the given access key, for requests that the holder of
// the key has authorized earlier, such as signed URLs. It returns ErrUnknown, or the key
// together with ErrExpired.
func (d *Directory) Recheck(accessKey string, now time.Time) (APIKey, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	digest, ok := d.digests[accessKey]
	if !ok {
		return APIKey{}, ErrUnknown
	}
	return d.use(digest, now)
}

// use returns the key with the given digest and records its use. d.mu must be locked.
func (d *Directory) use(digest SecretDigest, now time.Time) (APIKey, error) {
	key, ok := d.keys[digest]
	if !ok {
		return APIKey{}, ErrUnknown
	}
	if key.Expired(now) {
		return key.APIKey, ErrExpired
	}
	key.used.Note(now)
	return key.APIKey, nil
}
