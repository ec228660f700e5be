// Package jetontest starts a whole Jeton within a test: the real server on free
// loopback ports, with a data folder of its own, stopped when the test ends.
package jetontest

import (
	"cmp"
	"context"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/test/testlog"
)

// Jeton is a running server and its first API key.
type Jeton struct {
	APIURL, GatewayURL string
	// GatewayTLSURL is empty unless an option turns that port on.
	GatewayTLSURL, OpsURL     string
	AccessKey, SecretKey      string
	ProjectID, OrganizationID string
	// Admin is the owner's way to say who may call.
	Admin *admin.Client
	// DataDir is the server's data folder.
	DataDir string
	// Log is everything that the server has logged so far.
	Log *testlog.Buffer

	t      testing.TB
	config server.Config
	stop   func()
}

// An Option changes the server's configuration before it starts.
type Option func(*server.Config)

// keyPair is one key pair for all namespaces of a test program: making one
// takes long. It is as large as a real one, so that tokens are too.
var keyPair = sync.OnceValues(func() (token.KeyPair, error) { return token.GenerateKeyPair(token.KeyBits) })

// Start runs a server until the test ends.
func Start(t testing.TB, options ...Option) *Jeton {
	t.Helper()
	j := configured(t, filepath.Join(t.TempDir(), "data"), options)
	j.authenticate(j.start())
	j.atEnd()
	return j
}

// StartOver runs a server over an existing data folder until the test ends.
// credentials are those of an API key that is in it.
func StartOver(t testing.TB, dataDir string, credentials *scw.Profile, options ...Option) *Jeton {
	t.Helper()
	j := configured(t, dataDir, options)
	j.authenticate(credentials)
	j.start()
	j.atEnd()
	return j
}

// configured returns a server that has not been started.
func configured(t testing.TB, dataDir string, options []Option) *Jeton {
	config := server.DefaultConfig(dataDir)
	config.CacheDir = server.DefaultCacheDir(config.DataDir)
	config.NewID = sameProject(config.NewID)
	config.APIListen, config.GatewayListen, config.OpsListen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	config.NewKeyPair = keyPair
	config.Limits.MinTimeout = time.Millisecond
	// Most servers of tests live for a second, and have no use for sandboxes that
	// wait.
	config.WarmPool = process.WarmPool{}
	if runtime.GOOS != "linux" {
		config.Isolation = "none" // There is no other level.
	}
	for _, option := range options {
		option(&config)
	}
	collector()
	return &Jeton{t: t, config: config, DataDir: config.DataDir, Log: &testlog.Buffer{}}
}

// authenticate makes j's clients use an API key.
func (j *Jeton) authenticate(credentials *scw.Profile) {
	j.AccessKey, j.SecretKey = *credentials.AccessKey, *credentials.SecretKey
	j.ProjectID, j.OrganizationID = *credentials.DefaultProjectID, *credentials.DefaultOrganizationID
}

// sameProject makes the first ID, which is that of the first project, the same for
// all servers of tests: they share the cache of that project's builds.
func sameProject(newID func() string) func() string {
	var once sync.Once
	return func() string {
		id := ""
		once.Do(func() { id = "7e57ed00-0000-4000-8000-000000000001" })
		return cmp.Or(id, newID())
	}
}

// Over runs another server over a data folder that knows j's API key, until the
// test ends.
func (j *Jeton) Over(dataDir string) *Jeton {
	j.t.Helper()
	other := &Jeton{
		t: j.t, config: j.config, DataDir: dataDir, Log: &testlog.Buffer{},
		AccessKey: j.AccessKey, SecretKey: j.SecretKey, ProjectID: j.ProjectID, OrganizationID: j.OrganizationID,
	}
	other.config.DataDir, other.config.Credentials = dataDir, server.CredentialsPath(dataDir)
	other.start()
	other.atEnd()
	return other
}

func (j *Jeton) atEnd() {
	j.t.Cleanup(func() {
		j.Stop()
		j.searchLeftBehind()
		if j.t.Failed() {
			j.t.Logf("log of the server:\n%s", j.Log)
		}
	})
}

func (j *Jeton) start() *scw.Profile {
	j.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.NewTextHandler(j.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	running, err := server.Open(ctx, j.config, log)
	if err != nil {
		cancel()
		j.t.Fatalf("start the server: %v", err)
	}
	j.APIURL, j.GatewayURL = running.Endpoints().API, running.Endpoints().Gateway
	j.GatewayTLSURL, j.OpsURL = running.Endpoints().GatewayTLS, running.Endpoints().Ops
	j.Admin = admin.NewClient(running.Endpoints().Admin)
	ended := make(chan error, 1)
	go func() { ended <- running.Run(ctx) }()
	j.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			j.t.Errorf("the server ended with: %v", err)
		}
		if err := running.Close(); err != nil {
			j.t.Errorf("close the server: %v", err)
		}
	}
	return running.Issued()
}

// Stop stops the server before the test ends.
func (j *Jeton) Stop() {
	if j.stop != nil {
		j.searchRunning()
		j.stop()
		j.stop = nil
	}
}

// Restart stops the server and starts another one over the same data folder.
// Its addresses are new, and its configuration is changed by the options.
func (j *Jeton) Restart(options ...Option) {
	j.t.Helper()
	j.Stop()
	for _, option := range options {
		option(&j.config)
	}
	j.start()
}

// Env is the environment by which Scaleway's clients find the server.
func (j *Jeton) Env() map[string]string {
	return map[string]string{
		scw.ScwAPIURLEnv: j.APIURL, scw.ScwAccessKeyEnv: j.AccessKey, scw.ScwSecretKeyEnv: j.SecretKey,
		scw.ScwDefaultProjectIDEnv: j.ProjectID, scw.ScwDefaultOrganizationIDEnv: j.OrganizationID,
		scw.ScwDefaultRegionEnv: "fr-par",
	}
}

// Key makes an API key with permission sets, for a project or, where that is
// empty, for the first one.
func (j *Jeton) Key(project string, permissions ...string) admin.APIKey {
	j.t.Helper()
	key, err := j.Admin.CreateKey(j.t.Context(), admin.CreateKey{Project: project, Permissions: permissions})
	if err != nil {
		j.t.Fatalf("make an API key: %v", err)
	}
	return key
}

// Client is the official SDK's client for the server.
func (j *Jeton) Client(options ...scw.ClientOption) *scw.Client {
	j.t.Helper()
	return j.ClientOf(admin.APIKey{
		AccessKey: j.AccessKey, SecretKey: j.SecretKey, ProjectID: j.ProjectID, OrganizationID: j.OrganizationID,
	}, options...)
}

// ClientOf is the official SDK's client of whoever has an API key.
func (j *Jeton) ClientOf(key admin.APIKey, options ...scw.ClientOption) *scw.Client {
	j.t.Helper()
	client, err := scw.NewClient(append([]scw.ClientOption{
		scw.WithAPIURL(j.APIURL), scw.WithAuth(key.AccessKey, key.SecretKey), scw.WithDefaultRegion(scw.RegionFrPar),
		scw.WithDefaultProjectID(key.ProjectID), scw.WithDefaultOrganizationID(key.OrganizationID),
	}, options...)...)
	if err != nil {
		j.t.Fatalf("make a client: %v", err)
	}
	return client
}
