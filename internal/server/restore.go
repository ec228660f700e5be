package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/jeton-dev/jeton/internal/backup"
	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/s3"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/tree"
	"github.com/jeton-dev/jeton/internal/usage"
)

// A Restored is what a restore has stored.
type Restored struct{ Objects, Archives, Artifacts int }

// RestoreToCluster loads a backup of a server with a data folder into an empty PostgreSQL
// database and an empty prefix of a bucket, and creates the data folder of the first node.
// The database has everything or, after an error, nothing. Objects that an interrupted
// attempt has left in the bucket are used by the next one.
func RestoreToCluster(ctx context.Context, c Config, in io.Reader) (restored Restored, err error) {
	if c.Database == "" || c.Blobs == "" {
		return Restored{}, errors.New("restore to a cluster: --database and --blobs are both required, because all nodes need the code of functions")
	}
	switch entries, err := os.ReadDir(c.DataDir); {
	case err == nil && len(entries) > 0:
		return Restored{}, fmt.Errorf("%s: %w", c.DataDir, backup.ErrNotEmpty)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	database, err := postgres.Open(ctx, c.Database, c.Now)
	if err != nil {
		return Restored{}, err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	if err := database.CheckEmpty(ctx); err != nil {
		return Restored{}, err
	}
	work := filepath.Clean(c.DataDir) + ".unpacked"
	if err := backup.Restore(ctx, in, work); err != nil {
		return Restored{}, err
	}
	defer func() { err = errors.Join(err, tree.Remove(work)) }()
	r := &restorer{config: c, work: folder(work), database: database}
	return r.run(ctx)
}

// A restorer moves an unpacked backup to a database and a bucket.
type restorer struct {
	config   Config
	work     folder
	database *postgres.Store
	source   *sqlite.Store
	bucket   *s3.Bucket
	count    Restored
}

func (r *restorer) run(ctx context.Context) (_ Restored, err error) {
	if missing := MissingKey(string(r.work)); missing != "" {
		return Restored{}, errors.New("restore: the backup contains no secret.key, and without it the secrets in it are lost: add the file to the backup")
	}
	keys, err := secret.ReadKeys(r.work.path(keyFile))
	if err != nil {
		return Restored{}, err
	}
	sealer, err := secret.NewSealer(keys...)
	if err != nil {
		return Restored{}, err
	}
	if r.source, err = sqlite.Open(ctx, r.work.path(databaseFile), r.config.Now); err != nil {
		return Restored{}, err
	}
	defer func() { err = errors.Join(err, r.source.Close()) }()
	if err := r.storeCode(ctx, hex.EncodeToString(derive(keys[len(keys)-1], "installation"))); err != nil {
		return Restored{}, fmt.Errorf("restore the code of functions: %w", err)
	}
	if err := r.loadDatabase(ctx, sealer); err != nil {
		return Restored{}, err
	}
	return r.count, nil
}

// storeCode stores all archives and artifacts in the bucket.
func (r *restorer) storeCode(ctx context.Context, installation string) (err error) {
	location, err := s3.ParseLocation(r.config.Blobs)
	if err != nil {
		return err
	}
	r.bucket, err = s3.BeginRestore(ctx, s3.Config{
		Location: location, Installation: installation, Now: r.config.Now,
		Dir: r.work.path("transfers"), CacheSize: math.MaxInt64, BuildCache: r.config.BuildCache,
	})
	if err != nil {
		return err
	}
	artifacts, err := r.bucket.Artifacts(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, artifacts.Close()) }()
	archives := r.bucket.Archives()
	var all []functions.Function
	err = r.source.View(ctx, func(tx store.Tx) (err error) {
		all, _, err = tx.Functions(functions.Filter{}, functions.Page{})
		return err
	})
	for _, f := range all {
		if err == nil && f.Status != functions.Deleting {
			err = r.storeFunction(ctx, f, archives, artifacts)
		}
	}
	return err
}

func (r *restorer) storeFunction(ctx context.Context, f functions.Function, archives blob.Archives, artifacts blob.Artifacts) error {
	digests := map[string]bool{f.Archive: true, f.Target: true}
	if f.Revision != nil {
		digests[f.Revision.Archive] = true
	}
	delete(digests, "")
	for digest := range digests {
		if err := r.storeArchive(ctx, f.ID, digest, archives); err != nil {
			return fmt.Errorf("archive of function %s: %w", f.ID, err)
		}
		r.count.Archives++
	}
	if f.Revision == nil || f.Revision.Artifact == "" {
		return nil
	}
	ref := blob.Ref{FunctionID: f.ID, Name: f.Revision.Artifact}
	stored, err := artifacts.Has(ctx, ref)
	if err == nil && !stored {
		err = artifacts.Put(ctx, ref, r.work.path(filepath.Join("artifacts", ref.FunctionID, ref.Name)))
	}
	if err != nil {
		return fmt.Errorf("artifact of function %s: %w", f.ID, err)
	}
	r.count.Artifacts++
	return nil
}

func (r *restorer) storeArchive(ctx context.Context, functionID, digest string, archives blob.Archives) error {
	if _, err := archives.Size(ctx, functionID, digest); !errors.Is(err, blob.ErrNotFound) {
		return err
	}
	file, err := os.Open(r.work.path(filepath.Join("archives", functionID, digest)))
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = archives.Put(ctx, functionID, file, math.MaxInt64-1, func(stored blob.Archive) error {
		if stored.Digest != digest {
			return fmt.Errorf("the backup is damaged: the archive has digest %s, want %s", stored.Digest, digest)
		}
		return nil
	})
	return err
}

// loadDatabase loads all objects, and creates the data folder before the commit.
func (r *restorer) loadDatabase(ctx context.Context, sealer *secret.Sealer) error {
	location, err := locationOf(r.config)
	if err != nil {
		return err
	}
	certificates, err := r.certificates()
	if err != nil {
		return err
	}
	sealed := sealer.Seal([]byte(canary), canaryPurpose)
	created := false
	err = r.database.Load(ctx, postgres.Load{
		Number: r.source.Newest(),
		Objects: func(put func(store.Object) error) error {
			return r.eachObject(ctx, func(o store.Object) error { r.count.Objects++; return put(o) })
		},
		Uses:         func(note func(usage.Kind, []usage.Use) error) error { return r.eachUse(ctx, note) },
		Settings:     map[string][]byte{postgres.CanarySetting: sealed, postgres.BlobsSetting: []byte(location)},
		Certificates: certificates,
		Ready: func() error {
			created = true
			digest := sha256.Sum256(sealed)
			if err := r.createFolder(ctx, hex.EncodeToString(digest[:]), location); err != nil {
				return err
			}
			return r.bucket.EndRestore(ctx)
		},
	})
	if err != nil && created {
		return errors.Join(err, tree.Remove(r.config.DataDir))
	}
	return err
}

// eachObject passes all objects of the backup to use. A backup has no members.
func (r *restorer) eachObject(ctx context.Context, use func(store.Object) error) error {
	var failed error
	reader := loadOnly(func(o store.Object) {
		if _, isMember := o.(store.Member); failed == nil && !isMember {
			failed = use(o)
		}
	})
	return errors.Join(r.source.Follow(ctx, store.Position{}, reader), failed)
}

// loadOnly is a follower that receives the objects of a snapshot.
type loadOnly func(store.Object)

// Apply implements store.Follower.
func (loadOnly) Apply(store.Change) {}

// Reload implements store.Follower.
func (l loadOnly) Reload(store.Position) store.Loader { return store.Loader{Add: l, Swap: func() {}} }

// eachUse passes the last uses of all tokens and API keys to note.
func (r *restorer) eachUse(ctx context.Context, note func(usage.Kind, []usage.Use) error) error {
	ids := map[usage.Kind][]string{}
	err := r.eachObject(ctx, func(o store.Object) error {
		switch o.(type) {
		case functions.Token:
			ids[usage.Tokens] = append(ids[usage.Tokens], o.ObjectID())
		case iam.APIKey:
			ids[usage.APIKeys] = append(ids[usage.APIKeys], o.ObjectID())
		}
		return nil
	})
	if err != nil {
		return err
	}
	for kind, all := range ids {
		last, err := r.source.LastUses(ctx, kind, all)
		if err != nil {
			return err
		}
		uses := make([]usage.Use, 0, len(last))
		for id, at := range last {
			uses = append(uses, usage.Use{ID: id, At: at})
		}
		if err := note(kind, uses); err != nil {
			return err
		}
	}
	return nil
}

// certificates returns the sealed files of ACME by their names.
func (r *restorer) certificates() (map[string][]byte, error) {
	found := map[string][]byte{}
	root := r.work.path("acme")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || strings.HasPrefix(name, "locks") {
			return err
		}
		found[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	return found, err
}

// createFolder moves what a node needs to the data folder.
func (r *restorer) createFolder(ctx context.Context, database, location string) error {
	data := folder(r.config.DataDir)
	if err := os.MkdirAll(string(data), 0o700); err != nil {
		return err
	}
	logs, err := filepath.Glob(r.work.path("audit.log*"))
	if err != nil {
		return err
	}
	for _, path := range append(logs, r.work.path(keyFile), r.work.path("ca.pem"), r.work.path("ca.key")) {
		err := os.Rename(path, data.path(filepath.Base(path)))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	err = errors.Join(os.WriteFile(data.path(databaseID), []byte(database+"\n"), 0o600), os.WriteFile(data.path(bucketFile), []byte(location+"\n"), 0o600))
	return errors.Join(err, tree.Sync(ctx, string(data)))
}
