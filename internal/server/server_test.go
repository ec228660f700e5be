package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/test/await"
)

func config(t *testing.T) server.Config {
	t.Helper()
	c := server.DefaultConfig(filepath.Join(t.TempDir(), "data"))
	c.APIListen, c.GatewayListen, c.OpsListen = "127.0.0.1:0", "127.0.0.1:0", ""
	c.NewKeyPair = func() (token.KeyPair, error) { return token.GenerateKeyPair(1024) }
	return c
}

func open(t *testing.T, c server.Config) *server.Server {
	t.Helper()
	s, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestOpen_RefusesAFolderInUse(t *testing.T) {
	t.Parallel()
	c := config(t)
	if server.Serving(c.DataDir) {
		t.Error("Serving() = true before the start")
	}
	first := open(t, c)
	if !server.Serving(c.DataDir) {
		t.Error("Serving() = false after the start")
	}
	if _, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler)); !errors.Is(err, server.ErrInUse) {
		t.Errorf("a second server: %v, want ErrInUse", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if server.Serving(c.DataDir) {
		t.Error("Serving() = true after Close")
	}
	second := open(t, c)
	if second.Issued() != nil || first.Issued() == nil {
		t.Error("want an API key from the first start only")
	}
}

// A child process of a killed server can hold the lock for a moment.
func TestOpen_WaitsForTheLockOfAKilledServer(t *testing.T) {
	t.Parallel()
	c := config(t)
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(filepath.Join(c.DataDir, "lock"))
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = lock.Unlock() })
	open(t, c)
}

func TestOpen_CreatesPrivateFiles(t *testing.T) {
	t.Parallel()
	c := config(t)
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil {
		t.Fatal(err)
	}
	open(t, c)
	for path, want := range map[string]os.FileMode{
		c.DataDir: 0o700, filepath.Join(c.DataDir, "secret.key"): 0o600, c.Credentials: 0o600,
		filepath.Join(c.DataDir, "admin.sock"): 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v, want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

func TestOpen_KeepsOtherCredentials(t *testing.T) {
	t.Parallel()
	c := config(t)
	if err := os.WriteFile(c.Credentials, []byte("another's"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, c)
	old, err := filepath.Glob(c.Credentials + ".*.old")
	if err != nil || len(old) != 1 {
		t.Fatalf("%v, %v", old, err)
	}
	if content, err := os.ReadFile(old[0]); err != nil || string(content) != "another's" {
		t.Errorf("%q, %v", content, err)
	}
}

// The credentials file has the public URL of the API, also after a change of the URL.
func TestOpen_WritesThePublicURL(t *testing.T) {
	t.Parallel()
	c := config(t)
	for _, url := range []string{"https://functions.example.com", "", "https://other.example.com"} {
		c.APIURL = url
		s := open(t, c)
		want := url
		if want == "" {
			want = s.Endpoints().API
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := scw.LoadConfigFromPath(c.Credentials)
		if err != nil || got.APIURL == nil || *got.APIURL != want {
			t.Errorf("the credentials are %+v, %v, want the URL %s", got, err, want)
		}
	}
}

func TestOpen_RefusesInvalidConfigurations(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func(*testing.T, *server.Config)
		says  string
	}{
		"a lost key": {func(t *testing.T, c *server.Config) {
			t.Helper()
			if err := open(t, *c).Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(c.DataDir, "secret.key")); err != nil {
				t.Fatal(err)
			}
		}, "restore it from a backup"},
		"a folder that is a file": {func(t *testing.T, c *server.Config) {
			t.Helper()
			if err := os.WriteFile(c.DataDir, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "not a directory"},
		"a port that is taken": {func(t *testing.T, c *server.Config) {
			t.Helper()
			other := config(t)
			c.APIListen = strings.TrimPrefix(open(t, other).Endpoints().API, "http://")
		}, "address already in use"},
		"negative wrong keys":     {func(_ *testing.T, c *server.Config) { c.WrongKeys = -1 }, "wrong-keys is -1"},
		"no namespaces":           {func(_ *testing.T, c *server.Config) { c.Limits.Namespaces = 0 }, "max-namespaces is 0"},
		"no payload":              {func(_ *testing.T, c *server.Config) { c.Limits.PayloadSize = -1 }, "max-payload-size is -1"},
		"no storage":              {func(_ *testing.T, c *server.Config) { c.Limits.Storage = 0 }, "max-storage is 0"},
		"relative URL of the API": {func(_ *testing.T, c *server.Config) { c.APIURL = "functions.example.com" }, `api-url "functions.example.com" is not a URL`},
		"a URL with a password":   {func(_ *testing.T, c *server.Config) { c.APIURL = "https://a:b@example.com" }, "is not a URL"},
		"a URL with a query":      {func(_ *testing.T, c *server.Config) { c.APIURL = "https://example.com?a" }, "is not a URL"},
		"a URL of another kind":   {func(_ *testing.T, c *server.Config) { c.APIURL = "ftp://example.com" }, "is not a URL"},
		"invalid domain":          {func(_ *testing.T, c *server.Config) { c.Domain = "A B" }, `domain "A B"`},
		"no timeout":              {func(_ *testing.T, c *server.Config) { c.Limits.MinTimeout = 0 }, "min-timeout is 0s"},
		"timeouts crossed":        {func(_ *testing.T, c *server.Config) { c.Limits.MaxTimeout = time.Second }, "max-timeout is 1s: it must be at least min-timeout, 10s"},
		"no queue":                {func(_ *testing.T, c *server.Config) { c.Scale.Queue = 0 }, "queue is 0"},
		"no time to build":        {func(_ *testing.T, c *server.Config) { c.BuildTimeout = 0 }, "build-timeout"},
		"negative time":           {func(_ *testing.T, c *server.Config) { c.Scale.IdleToZero = -time.Second }, "idle-to-zero"},
		"a domain with a space":   {func(_ *testing.T, c *server.Config) { c.Domain = "a b" }, "not a hostname"},
		"a domain with a port":    {func(_ *testing.T, c *server.Config) { c.Domain = "example.org:80" }, "not a hostname"},
	} {
		c := config(t)
		test.spoil(t, &c)
		s, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
		if err == nil {
			_ = s.Close()
		}
	}
}

func TestRun_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := open(t, config(t))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	cancel()
	if err := await.Receive(t, "the server to stop", ended); err != nil {
		t.Errorf("Run returns %v", err)
	}
}

func TestRun_EndsWhenOperatorsPortFails(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.OpsListen = "127.0.0.1:0"
	s := open(t, c)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(t.Context()) }()
	if err := s.CloseOpsListener(); err != nil {
		t.Fatal(err)
	}
	if err := await.Receive(t, "the server to stop", ended); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want the error of the listener", err)
	}
}

func TestSaveCredentials_ReplacesFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "missing")
	path := filepath.Join(dir, "config.yaml")
	for _, key := range []string{"SCWAAAAAAAAAAAAAAAAAA", "SCWBBBBBBBBBBBBBBBBBB"} {
		if err := server.SaveCredentials(path, &scw.Config{Profile: scw.Profile{AccessKey: &key}}); err != nil {
			t.Fatal(err)
		}
		saved, err := scw.LoadConfigFromPath(path)
		if err != nil || saved.AccessKey == nil || *saved.AccessKey != key {
			t.Errorf("got %v, %v, want the access key %s", saved, err, key)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("got %v, %v, want mode 0600", info, err)
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
			t.Errorf("got the files %v, %v, want only the credentials", files, err)
		}
	}
}

// If the path of the data folder is too long for a socket, the socket is elsewhere. A
// socket that a killed server has left is replaced.
func TestOpen_ListensOnTheAdminSocket(t *testing.T) {
	t.Parallel()
	for name, folder := range map[string]string{"short": "data", "long": strings.Repeat("long", 30)} {
		c := config(t)
		c.DataDir = filepath.Join(t.TempDir(), folder)
		if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.DataDir, "admin.sock"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, c)
		reached, serving := server.Reach(c.DataDir)
		info, err := os.Stat(reached.Admin)
		if !serving || err != nil || info.Mode() != os.ModeSocket|0o600 {
			t.Errorf("%s: %+v, %t, %v", name, reached, serving, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(reached.Admin); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the socket outlives the server: %v", name, err)
		}
		if reached, serving := server.Reach(c.DataDir); serving {
			t.Errorf("%s: Reach finds a server after Close: %+v", name, reached)
		}
	}
}
