package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// defaultRegion is the region in the credentials file, as in Scaleway's clients.
const defaultRegion = "fr-par"

// bootstrap creates the first project and its API key if there is no project, and
// returns their credentials. Otherwise it updates the URL of the API in the
// credentials file and returns nil.
func bootstrap(ctx context.Context, b *base) (*scw.Profile, error) {
	apiURL := cmp.Or(b.config.APIURL, b.listeners.endpoints.API)
	issued, err := createFirstProject(ctx, b.store, b.config, apiURL)
	if err != nil {
		return nil, fmt.Errorf("first project: %w", err)
	}
	if issued == nil {
		return nil, updateURL(b.config.Credentials, apiURL)
	}
	b.log.Info("created a project and an API key", "credentials", b.config.Credentials)
	return issued, nil
}

// errRaced is returned by the transaction of a start that another node has preceded.
var errRaced = errors.New("another node has created the first project")

// createFirstProject creates the project and the API key unless there is a project, also
// one that another node has created meanwhile. The secret key is in a pending file before
// the API key is committed, so that a crash between the two loses nothing. The server
// stores only a digest of the secret key.
func createFirstProject(ctx context.Context, objects store.Store, c Config, apiURL string) (*scw.Profile, error) {
	now := c.Now()
	if err := recoverCredentials(ctx, objects, c.Credentials, now); err != nil {
		return nil, err
	}
	var projects []iam.Project
	err := objects.View(ctx, func(tx store.Tx) (err error) {
		projects, err = tx.Projects()
		return err
	})
	if err != nil || len(projects) > 0 {
		return nil, err
	}
	project, err := iam.NewProject(c.NewID(), c.NewID(), "default", "", now)
	if err != nil {
		return nil, err
	}
	// Configurations create their own projects with this key.
	key, secretKey, err := iam.IssueAPIKey(iam.KeySpec{Permissions: []string{iam.FullAccess}, Organization: true}, now)
	if err != nil {
		return nil, err
	}
	key = key.AssignTo(project)
	secret, region := secretKey.Reveal(), defaultRegion
	profile := scw.Profile{
		AccessKey: &key.AccessKey, SecretKey: &secret, APIURL: &apiURL, DefaultRegion: &region,
		DefaultOrganizationID: &project.OrganizationID, DefaultProjectID: &project.ID,
	}
	if err := SaveCredentials(pending(c.Credentials), &scw.Config{Profile: profile}); err != nil {
		return nil, err
	}
	err = objects.Update(ctx, func(tx store.Tx) error {
		existing, err := tx.Projects()
		if err == nil && len(existing) > 0 {
			err = errRaced
		}
		if err != nil {
			return err
		}
		return errors.Join(tx.Put(project), tx.Put(key))
	})
	if errors.Is(err, errRaced) {
		return nil, os.Remove(pending(c.Credentials))
	}
	if err != nil {
		// The outcome may be unknown: the next start decides about the pending file.
		return nil, err
	}
	return &profile, promote(c.Credentials, now)
}

// pending returns the path of credentials whose API key may not be stored.
func pending(credentials string) string { return credentials + ".pending" }

// recoverCredentials completes or removes the pending credentials of a start that was
// interrupted.
func recoverCredentials(ctx context.Context, objects store.Store, path string, now time.Time) error {
	config, err := scw.LoadConfigFromPath(pending(path))
	if _, missing := errors.AsType[*scw.ConfigFileNotFoundError](err); missing {
		return nil
	}
	if err != nil {
		return fmt.Errorf("credentials file %s: %w", pending(path), err)
	}
	stored := false
	err = objects.View(ctx, func(tx store.Tx) error {
		if config.AccessKey == nil {
			return nil
		}
		_, err := tx.APIKey(*config.AccessKey)
		stored = err == nil
		if functions.IsNotFound(err) {
			return nil
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case stored:
		return promote(path, now)
	}
	return os.Remove(pending(path))
}

// promote makes the pending credentials the credentials. It renames an existing file,
// which may be the only copy of another server's key.
func promote(path string, now time.Time) error {
	err := os.Rename(path, path+"."+now.Format("20060102T150405")+".old")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(pending(path), path)
}

// updateURL writes the URL of the API to the credentials file, if the file exists.
func updateURL(path, apiURL string) error {
	config, err := scw.LoadConfigFromPath(path)
	if _, missing := errors.AsType[*scw.ConfigFileNotFoundError](err); missing {
		return nil
	}
	if err != nil {
		return fmt.Errorf("credentials file %s: %w", path, err)
	}
	if config.APIURL != nil && *config.APIURL == apiURL {
		return nil
	}
	config.APIURL = &apiURL
	return SaveCredentials(path, config)
}

// SaveCredentials writes a configuration file of Scaleway's clients. After a crash
// the file is either the old or the new one, complete.
func SaveCredentials(path string, config *scw.Config) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	unfinished, err := renameio.TempFile(dir, path)
	if err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	defer func() { _ = unfinished.Cleanup() }() // Does nothing after the file was replaced.
	// SaveTo opens the same file again.
	if err := config.SaveTo(unfinished.Name()); err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	if err := unfinished.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	return nil
}
