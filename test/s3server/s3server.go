// Package s3server runs an S3 server, versitygw, for the tests of one test program. The
// server keeps objects in a temporary folder.
package s3server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/shared"
)

// The credentials of the server's owner.
const (
	AccessKey = "owner"
	SecretKey = "the-secret-key-of-the-owner"
)

// Server is a running S3 server.
type Server struct {
	// Endpoint is its URL.
	Endpoint string

	program, dir string
	command      *exec.Cmd
	log          bytes.Buffer
	ended        chan struct{}
	buckets      atomic.Int64
}

var perProgram = shared.Server[*Server]{Start: func() (*Server, error) { return Start(context.Background()) }}

// Main runs the tests of a program and stops its server. TestMain calls it.
func Main(m *testing.M) { perProgram.Main(m) }

// StopShared stops the server of the program, for programs with several servers: see
// shared.Main.
func StopShared() error { return perProgram.Stop() }

// Shared returns the server of the program, which it starts first if necessary. TestMain
// must call Main.
func Shared(t testing.TB) *Server {
	t.Helper()
	return perProgram.Get(t)
}

// program returns the path of versitygw.
func program() (string, error) {
	_, source, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("find versitygw: the test was built without paths")
	}
	path := filepath.Join(filepath.Dir(source), "..", "..", "bin", "versitygw")
	if !filepath.IsAbs(path) {
		// A program that was built with -trimpath runs in the root of the checkout.
		path = filepath.Join("bin", "versitygw")
	}
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return "", fmt.Errorf("run make bin/versitygw first, as make test does: %w", err)
	}
	return path, nil
}

// Start starts a server. The caller must stop it. On Linux it ends with the test program.
func Start(ctx context.Context) (*Server, error) {
	path, err := program()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "s3server")
	if err != nil {
		return nil, err
	}
	s := &Server{program: path, dir: dir}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	objects, users := filepath.Join(s.dir, "objects"), filepath.Join(s.dir, "users")
	if err := errors.Join(os.Mkdir(objects, 0o700), os.Mkdir(users, 0o700)); err != nil {
		return err
	}
	s.Endpoint = "http://" + address
	s.command = exec.Command(s.program, "--port", address, "--keep-alive", "--quiet", "--iam-dir", users, "posix", objects)
	s.command.Env = []string{"ROOT_ACCESS_KEY=" + AccessKey, "ROOT_SECRET_KEY=" + SecretKey}
	s.command.Stdout, s.command.Stderr = &s.log, &s.log
	s.command.SysProcAttr = endWithParent()
	started := make(chan error)
	s.ended = make(chan struct{})
	go func() {
		// The kernel stops the server when the thread that started it ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.command.Start()
		started <- err
		if err == nil {
			_ = s.command.Wait() // Stop kills it.
			close(s.ended)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start versitygw: %w", err)
	}
	ready := func() bool {
		select {
		case <-s.ended:
			return true
		default:
		}
		conn, err := net.DialTimeout("tcp", address, time.Second)
		return err == nil && conn.Close() == nil
	}
	if err := await.Until(ctx, "versitygw listens", ready); err != nil {
		return errors.Join(err, s.Stop())
	}
	select {
	case <-s.ended:
		return fmt.Errorf("versitygw ended: %s", s.log.String())
	default:
		return nil
	}
}

// freeAddress returns an address at which no server listens.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// Stop stops the server and removes its folder.
func (s *Server) Stop() error {
	err := s.command.Process.Kill()
	<-s.ended
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Client returns a client with the owner's credentials.
func (s *Server) Client(t testing.TB) *minio.Client {
	t.Helper()
	client, err := s.client()
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (s *Server) client() (*minio.Client, error) {
	endpoint, err := url.Parse(s.Endpoint)
	if err != nil {
		return nil, err
	}
	return minio.New(endpoint.Host, &minio.Options{
		Creds: credentials.NewStaticV4(AccessKey, SecretKey, ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath,
	})
}

// Bucket creates a bucket and returns its name.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	name, err := s.CreateBucket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// CreateBucket is Bucket for programs that are no tests.
func (s *Server) CreateBucket(ctx context.Context) (name string, err error) {
	client, err := s.client()
	if err != nil {
		return "", err
	}
	name = "bucket-" + strconv.FormatInt(s.buckets.Add(1), 10)
	return name, client.MakeBucket(ctx, name, minio.MakeBucketOptions{})
}

// URL returns the URL of a prefix for jeton serve --blobs.
func (s *Server) URL(bucket, prefix string) string {
	return "s3://" + bucket + "/" + prefix + "?endpoint=" + url.QueryEscape(s.Endpoint)
}

// Keys returns the keys of a bucket.
func (s *Server) Keys(t testing.TB, bucket string) []string {
	t.Helper()
	var keys []string
	for o := range s.Client(t).ListObjectsIter(t.Context(), bucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// User creates a user who may do the given actions, such as s3:GetObject, in a bucket and
// nothing else, and returns the user's secret key.
func (s *Server) User(t testing.TB, name, bucket string, actions ...string) (secretKey string) {
	t.Helper()
	secretKey = "the-secret-key-of-" + name
	create := exec.CommandContext(t.Context(), s.program, "admin", "--access", AccessKey, "--secret", SecretKey,
		"--endpoint-url", s.Endpoint, "create-user", "--access", name, "--secret", secretKey, "--role", "user")
	if output, err := create.CombinedOutput(); err != nil {
		t.Fatalf("create user: %v: %s", err, output)
	}
	list := ""
	for i, action := range actions {
		if i > 0 {
			list += ","
		}
		list += strconv.Quote(action)
	}
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":[%q]},"Action":[%s],"Resource":["arn:aws:s3:::%s","arn:aws:s3:::%s/*"]}]}`,
		name, list, bucket, bucket)
	if err := s.Client(t).SetBucketPolicy(t.Context(), bucket, policy); err != nil {
		t.Fatal(err)
	}
	return secretKey
}
