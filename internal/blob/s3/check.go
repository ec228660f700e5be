package s3

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/jeton-dev/jeton/internal/blob"
)

const (
	markerName = "jeton-installation"
	maxMarker  = 4 << 10
	checkTime  = 30 * time.Second
)

// marker is the content of the marker object.
type marker struct {
	Format       int    `json:"format"`
	Installation string `json:"installation"`
}

// markerFormat is the layout of the objects below the prefix.
const markerFormat = 1

// check puts, gets, lists and deletes a small object.
func (b *Bucket) check(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	value, err := b.config.Credentials.GetWithContext(b.client.CredContext())
	if err != nil {
		return fmt.Errorf("get credentials: %w", err)
	}
	if value.SignerType == credentials.SignatureAnonymous || value.AccessKeyID == "" {
		return errNoCredentials
	}
	// The answer to HEAD has no code that tells why the bucket cannot be used.
	if _, err := b.list(ctx, 1, "check"); err != nil {
		return err
	}
	name := b.newAttempt()
	key := b.key("check", name)
	if err := b.putSmall(ctx, key, []byte(name), minio.PutObjectOptions{}); err != nil {
		return explain("put an object", err)
	}
	content, err := b.getSmall(ctx, key)
	if err == nil && string(content) != name {
		err = errDamaged
	}
	if err != nil {
		err = explain("get an object", err)
	}
	listed, listErr := b.list(ctx, 1, "check")
	found := false
	for _, o := range listed {
		found = found || o.key == key
	}
	if listErr == nil && !found {
		listErr = errors.New("list objects: a new object is missing: the service must be consistent")
	}
	return errors.Join(err, listErr, b.remove(ctx, []object{{key: key}}))
}

// claim marks the prefix as used by the installation, or returns ErrOtherInstallation.
func (b *Bucket) claim(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	key := b.key(markerName)
	found, err := b.getSmall(ctx, key)
	if errors.Is(explain("", err), blob.ErrNotFound) {
		encoded, encodeErr := json.Marshal(marker{Format: markerFormat, Installation: b.config.Installation})
		if encodeErr != nil {
			return encodeErr
		}
		if err := b.create(ctx, key, encoded); err != nil {
			return explain("put the marker of the installation", err)
		}
		// Another node may have been first.
		found, err = b.getSmall(ctx, key)
	}
	if err != nil {
		return explain("get the marker of the installation", err)
	}
	var m marker
	if json.Unmarshal(found, &m) != nil || m.Installation == "" {
		return fmt.Errorf("the object %s is no marker of an installation: choose an empty prefix", key)
	}
	if m.Format != markerFormat {
		return fmt.Errorf("the objects have format %d, which this version of jeton does not know: use a newer version", m.Format)
	}
	if m.Installation != b.config.Installation {
		return ErrOtherInstallation
	}
	return nil
}

// create stores an object unless the key exists. Services without conditional requests
// overwrite it.
func (b *Bucket) create(ctx context.Context, key string, content []byte) error {
	var options minio.PutObjectOptions
	options.SetMatchETagExcept("*")
	err := b.putSmall(ctx, key, content, options)
	switch minio.ToErrorResponse(err).Code {
	case "PreconditionFailed", "ConditionalRequestConflict":
		return nil
	case "NotImplemented":
		return b.putSmall(ctx, key, content, minio.PutObjectOptions{})
	}
	return err
}

func (b *Bucket) putSmall(ctx context.Context, key string, content []byte, options minio.PutObjectOptions) error {
	_, err := b.client.Client.PutObject(ctx, b.config.Location.Bucket, key, bytes.NewReader(content), int64(len(content)), options)
	return err
}

func (b *Bucket) getSmall(ctx context.Context, key string) ([]byte, error) {
	body, _, _, err := b.client.GetObject(withBodyLimit(ctx, maxMarker), b.config.Location.Bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}
