package nodes

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/s3server"
)

// keyFile is the file of the data folder with the sealing key, which all nodes share.
const keyFile = "secret.key"

// Shared is what the nodes of a cluster share.
type Shared struct {
	Postgres *postgres.Server
	S3       *s3server.Server
	// Database and Blobs are the URLs of an empty database and a new bucket.
	Database, Blobs string
}

// Share starts a database in a folder, "" for the system's default, with settings of
// PostgreSQL, and an S3 server. The caller must call Stop.
func Share(ctx context.Context, dir string, settings ...string) (_ *Shared, err error) {
	s := &Shared{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if s.Postgres, err = postgres.StartIn(dir, settings...); err != nil {
		return nil, err
	}
	if s.Database, err = s.Postgres.CreateDatabase(); err != nil {
		return nil, err
	}
	if s.S3, err = s3server.Start(ctx); err != nil {
		return nil, err
	}
	bucket, err := s.S3.CreateBucket(ctx)
	if err != nil {
		return nil, err
	}
	s.Blobs = s.S3.URL(bucket, "jeton")
	return s, nil
}

// Stop stops what runs.
func (s *Shared) Stop() (err error) {
	if s.Postgres != nil {
		err = s.Postgres.Stop()
	}
	return errors.Join(err, s.StopS3())
}

// StopS3 stops the S3 server, if it runs.
func (s *Shared) StopS3() error {
	if s.S3 == nil {
		return nil
	}
	running := s.S3
	s.S3 = nil
	return running.Stop()
}

// Credentials returns the environment variables with the credentials of the bucket.
func Credentials() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + s3server.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s3server.SecretKey}
}

// SetCredentials sets the credentials of the bucket for this process and those that it starts.
func SetCredentials() error {
	return errors.Join(os.Setenv("AWS_ACCESS_KEY_ID", s3server.AccessKey), os.Setenv("AWS_SECRET_ACCESS_KEY", s3server.SecretKey))
}

// Flags returns the flags of jeton serve for a node with a data folder, on free ports of
// loopback.
func Flags(name, data, database, blobs string) []string {
	const free = "127.0.0.1:0"
	return []string{
		"--data-dir", data, "--node-name", name, "--database", database, "--blobs", blobs,
		"--cluster-listen", free, "--api-listen", free, "--gateway-listen", free, "--ops-listen", free,
	}
}

// ShareKey copies the sealing key of one data folder to that of a new node.
func ShareKey(from, to string) error {
	return Copy(filepath.Join(from, keyFile), filepath.Join(to, keyFile))
}

// ShareCredentials copies the file with the first API key.
func ShareCredentials(from, to string) error {
	return Copy(server.CredentialsPath(from), server.CredentialsPath(to))
}

// Copy copies a file that only its owner may read, and makes its folder.
func Copy(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}

// Ready reports whether the node with an operators' port is ready: it has its lease and
// serves.
func Ready(ctx context.Context, ops string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, ops+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// AwaitReady waits until a node is ready.
func AwaitReady(ctx context.Context, name, ops string) error {
	return await.Until(ctx, name+" is ready", func() bool { return Ready(ctx, ops) })
}
