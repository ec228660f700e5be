package s3_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/blob/s3"
	"github.com/jeton-dev/jeton/test/s3server"
)

func TestOpen_RefusesPrefixOfAnotherInstallation(t *testing.T) {
	t.Parallel()
	c := config(t)
	open(t, c)
	other := c
	other.Installation = "two"
	if _, err := s3.Open(t.Context(), other); !errors.Is(err, s3.ErrOtherInstallation) {
		t.Errorf("got %v, want %v", err, s3.ErrOtherInstallation)
	}
	other.Location.Prefix = "another/"
	open(t, other)
	open(t, c)
	keys := s3server.Shared(t).Keys(t, c.Location.Bucket)
	if want := "[another/jeton-installation some/prefix/jeton-installation]"; fmt.Sprint(keys) != want {
		t.Errorf("got objects %v, want %s", keys, want)
	}
}

func TestOpen_OneInstallationWinsRace(t *testing.T) {
	t.Parallel()
	c := config(t)
	var won atomic.Int64
	var group errgroup.Group
	for n := range 6 {
		c := c
		c.Installation, c.Dir = fmt.Sprint(n), t.TempDir()
		group.Go(func() error {
			_, err := s3.Open(t.Context(), c)
			if errors.Is(err, s3.ErrOtherInstallation) {
				return nil
			}
			won.Add(1)
			return err
		})
	}
	if err := group.Wait(); err != nil || won.Load() != 1 {
		t.Errorf("got %d winners, %v, want 1", won.Load(), err)
	}
}

func TestOpen_ExplainsWhatIsWrong(t *testing.T) {
	t.Parallel()
	all := map[string]string{"PutObject": "put an object", "GetObject": "get an object", "ListBucket": "list objects", "DeleteObject": "delete object"}
	for missing, operation := range all {
		t.Run("without "+missing, func(t *testing.T) {
			t.Parallel()
			c := config(t)
			var actions []string
			for action := range all {
				if action != missing {
					actions = append(actions, "s3:"+action)
				}
			}
			user := c.Location.Bucket + "-" + strings.ToLower(missing)
			secret := s3server.Shared(t).User(t, user, c.Location.Bucket, actions...)
			c.Credentials = credentials.NewStaticV4(user, secret, "")
			wantOpenError(t, c, operation+": AccessDenied: the credentials lack this right")
		})
	}
	for want, change := range map[string]func(*s3.Config){
		"does not know the access key": func(c *s3.Config) { c.Credentials = credentials.NewStaticV4("unknown", "secret", "") },
		"secret key does not belong": func(c *s3.Config) {
			c.Credentials = credentials.NewStaticV4(s3server.AccessKey, "the-secret-key-of-nobody", "")
		},
		"the bucket does not exist": func(c *s3.Config) { c.Location.Bucket = "missing" },
		"found no credentials":      func(c *s3.Config) { c.Credentials = credentials.NewStaticV4("", "", "") },
		"connection refused":        func(c *s3.Config) { c.Location.Endpoint = "http://127.0.0.1:1" },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			c := config(t)
			change(&c)
			wantOpenError(t, c, want)
		})
	}
}

func wantOpenError(t *testing.T, c s3.Config, want string) {
	t.Helper()
	_, err := s3.Open(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "the-secret-key") {
		t.Errorf("got %v, want %q and no secret", err, want)
	}
}

// Credentials and the endpoint come from the environment, as for other programs.
func TestCheck_UsesEnvironment(t *testing.T) {
	server := s3server.Shared(t)
	bucket := server.Bucket(t)
	t.Setenv("AWS_ACCESS_KEY_ID", s3server.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3server.SecretKey)
	t.Setenv("AWS_ENDPOINT_URL_S3", server.Endpoint)
	if err := s3.Check(t.Context(), location(t, "s3://"+bucket+"/x")); err != nil {
		t.Error(err)
	}
	if keys := server.Keys(t, bucket); len(keys) > 0 {
		t.Errorf("got objects %v, want none", keys)
	}
	t.Setenv("AWS_ENDPOINT_URL_S3", "example.com")
	if err := s3.Check(t.Context(), location(t, "s3://"+bucket+"/x")); err == nil || !strings.Contains(err.Error(), "AWS_ENDPOINT_URL_S3") {
		t.Errorf("got %v, want an error for the variable", err)
	}
}
