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

// Why a caller is refused. The first two say nothing about the keys that exist;
// the third is for those only who hold one.
var (
	ErrMalformed = errors.New("the secret key is missing or is no UUID")
	ErrUnknown   = errors.New("no API key has this secret key")
	ErrExpired   = errors.New("the API key has expired")
)

// A Directory knows every project, and every API key, by the digest of its
// secret key. It is kept by the store's changes: a key that is deleted opens
// nothing from then on.
type Directory struct {
	mu       sync.RWMutex
	projects map[string]Project
	// organizations have the IDs of their projects, oldest first.
	organizations map[string][]string
	keys          map[SecretDigest]*known
	// digests are those of the keys, by their access keys.
	digests map[string]SecretDigest
}

// known is an API key, and when it was used last.
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

// Apply notes a change of an object; those that are no project and no API key
// are not its concern.
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

// Reload starts a new directory. add adds one object to it, and swap puts it in
// the place of the contents of d, so that what was not added is gone.
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

// listProjects lists the projects of an organization anew. A list that was given
// out stays as it is.
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

// Visible returns the IDs of all projects that a key opens; nil if that is its
// default project alone. The caller must not change the list.
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

// Uses returns which keys were presented since it was called last, and when.
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

// Project returns the project of an ID; the zero one if there is none.
func (d *Directory) Project(id string) Project {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.projects[id]
}

// Authenticate returns the API key that has the given secret key. Returns
// ErrMalformed or ErrUnknown, or ErrExpired together with the key.
func (d *Directory) Authenticate(secretKey string, now time.Time) (APIKey, error) {
	if len(secretKey) != 36 || uuid.Validate(secretKey) != nil {
		return APIKey{}, ErrMalformed
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.use(sha256.Sum256([]byte(secretKey)), now)
}

// Recheck returns the API key with the given access key, for a request that the
// holder of the key was permitted to make later. Returns ErrUnknown, or ErrExpired
// together with the key.
func (d *Directory) Recheck(accessKey string, now time.Time) (APIKey, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	digest, ok := d.digests[accessKey]
	if !ok {
		return APIKey{}, ErrUnknown
	}
	return d.use(digest, now)
}

// use returns the key with a digest, and notes its use. d is locked.
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
