package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/certificate"
	"github.com/jeton-dev/jeton/internal/cluster/identity"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/internal/token"
)

// resealAtOnce is the number of objects of one transaction.
const resealAtOnce = 50

// resealOperation is the endpoint of the admin socket that seals all values with the
// current key.
func (b *base) resealOperation() map[string]admin.Operation {
	return map[string]admin.Operation{"POST /reseal": func(r *http.Request) (any, error) {
		count, err := b.reseal(r.Context())
		return admin.Resealed{Count: count}, err
	}}
}

// reseal reads the file of the sealing keys again, and seals every value that was sealed
// with another key than the first one. It can be repeated after an error. The canary is the
// last value, so that a server without the earlier key is refused until all are done.
func (b *base) reseal(ctx context.Context) (count int, err error) {
	if err := b.keyring.reload(); err != nil {
		return 0, &functions.Error{Code: functions.PreconditionFailed, Precondition: "sealing_key", Message: err.Error()}
	}
	for _, step := range []func(context.Context) (int, error){b.resealObjects, b.resealCertificates, b.resealFiles, b.resealSettings} {
		changed, err := step(ctx)
		count += changed
		if err != nil {
			return count, fmt.Errorf("reseal: %w", err)
		}
	}
	return count, nil
}

// resealObjects seals the values of namespaces, functions and triggers.
func (b *base) resealObjects(ctx context.Context) (count int, err error) {
	var namespaces, all, triggers []string
	err = b.store.View(ctx, func(tx store.Tx) error {
		n, _, err := tx.Namespaces(functions.Filter{}, functions.Page{})
		f, _, functionsErr := tx.Functions(functions.Filter{}, functions.Page{})
		t, _, triggersErr := tx.Triggers(functions.Filter{}, functions.Page{})
		namespaces, all, triggers = idsOf(n), idsOf(f), idsOf(t)
		return errors.Join(err, functionsErr, triggersErr)
	})
	if err != nil {
		return 0, err
	}
	reseal := b.sealer.Reseal
	for _, kind := range []struct {
		ids    []string
		reseal func(tx store.Tx, id string) (functions.Object, int, error)
	}{
		{namespaces, func(tx store.Tx, id string) (functions.Object, int, error) {
			n, err := tx.Namespace(id)
			if err != nil {
				return n, 0, err
			}
			return resealed(n.Reseal(token.PrivatePurpose, reseal))
		}},
		{all, func(tx store.Tx, id string) (functions.Object, int, error) {
			f, err := tx.Function(id)
			if err != nil {
				return f, 0, err
			}
			return resealed(f.Reseal(reseal))
		}},
		{triggers, func(tx store.Tx, id string) (functions.Object, int, error) {
			t, err := tx.Trigger(id)
			if err != nil {
				return t, 0, err
			}
			return resealed(t.Reseal(reseal))
		}},
	} {
		for ids := range slices.Chunk(kind.ids, resealAtOnce) {
			changed, err := b.resealSome(ctx, ids, kind.reseal)
			count += changed
			if err != nil {
				return count, err
			}
		}
	}
	return count, nil
}

func resealed[T functions.Object](object T, count int, err error) (functions.Object, int, error) {
	return object, count, err
}

func idsOf[T functions.Object](all []T) []string {
	ids := make([]string, len(all))
	for i, o := range all {
		ids[i] = o.ObjectID()
	}
	return ids
}

// resealSome seals the values of some objects in one transaction. Objects that were deleted
// meanwhile are left out.
func (b *base) resealSome(ctx context.Context, ids []string, reseal func(store.Tx, string) (functions.Object, int, error)) (count int, err error) {
	err = b.store.Update(ctx, func(tx store.Tx) error {
		count = 0
		for _, id := range ids {
			object, changed, err := reseal(tx, id)
			if functions.IsNotFound(err) {
				continue
			}
			if err != nil {
				return fmt.Errorf("%T %s: %w", object, id, err)
			}
			if changed == 0 {
				continue
			}
			count += changed
			if err := tx.Put(object); err != nil {
				return err
			}
		}
		return nil
	})
	return count, err
}

// resealCertificates seals the records of ACME in a database.
func (b *base) resealCertificates(ctx context.Context) (count int, err error) {
	shared, ok := b.store.(*postgres.Store)
	if !ok {
		return 0, nil
	}
	records := shared.Certificates()
	keys, err := records.List(ctx, "")
	if err != nil {
		return 0, err
	}
	for _, key := range keys {
		sealed, _, err := records.Get(ctx, key)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return count, err
		}
		fresh, changed, err := b.sealer.Reseal(sealed, certificate.ACMEPurpose(key))
		if err != nil {
			return count, fmt.Errorf("certificate %s: %w", key, err)
		}
		if !changed {
			continue
		}
		if err := records.Replace(ctx, key, sealed, fresh); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

// resealFiles seals the files of the data folder.
func (b *base) resealFiles(context.Context) (count int, err error) {
	files := map[string]string{
		b.folder.path(certificate.AuthorityKeyFile): certificate.KeyPurpose,
		b.folder.path(seedFile):                     seedPurpose,
	}
	root := b.folder.path("acme")
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if filepath.Dir(name) != "locks" {
			files[path] = certificate.ACMEPurpose(name)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	for path, purpose := range files {
		changed, err := b.resealFile(path, purpose)
		if err != nil {
			return count, err
		}
		if changed {
			count++
		}
	}
	return count, nil
}

func (b *base) resealFile(path, purpose string) (bool, error) {
	sealed, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	fresh, changed, err := b.sealer.Reseal(sealed, purpose)
	if err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	if !changed {
		return false, nil
	}
	return true, renameio.WriteFile(path, fresh, 0o600, renameio.WithTempDir(filepath.Dir(path)))
}

// resealSettings seals the settings of a database, the canary last.
func (b *base) resealSettings(ctx context.Context) (count int, err error) {
	shared, ok := b.store.(*postgres.Store)
	if !ok {
		return 0, nil
	}
	for _, setting := range []struct{ name, purpose string }{
		{postgres.SeedSetting, seedPurpose},
		{postgres.AuthoritySetting, certificate.SharedPurpose},
		{postgres.ClusterAuthoritySetting, identity.Purpose},
		{postgres.CanarySetting, canaryPurpose},
	} {
		set, err := shared.HasSetting(ctx, setting.name)
		if err != nil {
			return count, err
		}
		if !set {
			continue
		}
		changed := false
		_, err = shared.ChangeSetting(ctx, setting.name, func(current []byte) (fresh []byte, err error) {
			fresh, changed, err = b.sealer.Reseal(current, setting.purpose)
			return fresh, err
		})
		if err != nil {
			return count, err
		}
		if changed {
			count++
		}
	}
	return count, nil
}
