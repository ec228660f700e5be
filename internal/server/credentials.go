package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// defaultRegion is the region of clients that name none, as in Scaleway's own.
const defaultRegion = "fr-par"

// introduce makes the first project and its API key where there is none yet,
// and returns what it has made. The secret key goes to the credentials file
// and is not kept by the server; it is there before the key is, so that a crash
// between the two loses nothing.
func introduce(ctx context.Context, objects store.Store, c Config, apiURL string) (*scw.Profile, error) {
	var projects []iam.Project
	err := objects.View(ctx, func(tx store.Tx) (err error) {
		projects, err = tx.Projects()
		return err
	})
	if err != nil || len(projects) > 0 {
		return nil, err
	}
	now := c.Now()
	project := iam.Project{ID: c.NewID(), OrganizationID: c.NewID(), Name: "default", CreatedAt: now}
	key, secretKey := iam.NewAPIKey(project, now, iam.FullAccess)
	// It is the owner's key: configurations make projects of their own with it.
	key.Organization = true
	secret, region := secretKey.Reveal(), defaultRegion
	profile := scw.Profile{
		AccessKey: &key.AccessKey, SecretKey: &secret, APIURL: &apiURL, DefaultRegion: &region,
		DefaultOrganizationID: &project.OrganizationID, DefaultProjectID: &project.ID,
	}
	if err := writeCredentials(c.Credentials, profile, now); err != nil {
		return nil, err
	}
	err = objects.Update(ctx, func(tx store.Tx) error {
		return errors.Join(tx.Put(project), tx.Put(key))
	})
	if err != nil {
		return nil, err
	}
	return &profile, nil
}

// writeCredentials keeps what stood in the file before under another name: it
// may be the only copy of some other server's key.
func writeCredentials(path string, profile scw.Profile, now time.Time) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	err := os.Rename(path, path+"."+now.Format("20060102T150405")+".old")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return SaveCredentials(path, &scw.Config{Profile: profile})
}

// readdress has the credentials file name the address at which the API is now,
// if the file is still there.
func readdress(path, apiURL string) error {
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

// SaveCredentials writes a file of Scaleway's form. It leaves either the old
// file or the whole new one.
func SaveCredentials(path string, config *scw.Config) error {
	unfinished := path + ".new"
	if err := config.SaveTo(unfinished); err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	return os.Rename(unfinished, path)
}
