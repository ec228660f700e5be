// Package jetontest starts the real server within a test, on free loopback ports and
// with its own data folder. The server stops when the test ends.
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
	engine "github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/test/testlog"
)

// Jeton is a running server and its first API key.
type Jeton struct {
	APIURL, GatewayURL string
	// GatewayTLSURL is "" unless an option enables the TLS listener.
	GatewayTLSURL, OpsURL     string
	AccessKey, SecretKey      string
	ProjectID, OrganizationID string
	// Admin is a client of the owner's socket.
	Admin *admin.Client
	// DataDir is the server's data folder.
	DataDir string
	// Log is everything that the server has logged so far.
	Log *testlog.Buffer

	t      testing.TB
	config server.Config
	stop   func()
	// process is nil if the server runs in the process of the test.
	process *process
}

// An Option changes the server's configuration before it starts.
type Option func(*server.Config)

// keyPair returns the same key pair for all namespaces of a test program, because the
// generation takes long. The key has the real size, so that tokens have it, too.
var keyPair = sync.OnceValues(func() (token.KeyPair, error) { return token.GenerateKeyPair(token.KeyBits) })

// Start runs a server until the test ends.
func Start(t testing.TB, options ...Option) *Jeton {
	t.Helper()
	return StartIn(t, filepath.Join(t.TempDir(), "data"), options...)
}

// StartIn runs a server with a new data folder at a path until the test ends.
func StartIn(t testing.TB, dataDir string, options ...Option) *Jeton {
	t.Helper()
	j := configured(t, dataDir, options)
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

// Credentials returns the first API key, for StartOver.
func (j *Jeton) Credentials() *scw.Profile {
	return &scw.Profile{
		AccessKey: &j.AccessKey, SecretKey: &j.SecretKey, DefaultProjectID: &j.ProjectID, DefaultOrganizationID: &j.OrganizationID,
	}
}

// configured returns a server that has not been started.
func configured(t testing.TB, dataDir string, options []Option) *Jeton {
	config := server.DefaultConfig(dataDir)
	config.CacheDir = server.DefaultCacheDir(config.DataDir)
	config.NewID = sameProject(config.NewID)
	config.APIListen, config.GatewayListen, config.OpsListen, config.ClusterListen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	config.NewKeyPair = keyPair
	config.Limits.MinTimeout = time.Millisecond
	// Most servers of tests run for a second and need no warm sandboxes.
	config.WarmPool = engine.WarmPool{}
	if runtime.GOOS != "linux" {
		config.Isolation = "none" // Other systems have no other level.
	}
	usePods(t, &config)
	for _, option := range options {
		option(&config)
	}
	setInstallation(&config)
	collector()
	return &Jeton{t: t, config: config, DataDir: config.DataDir, Log: &testlog.Buffer{}}
}

// authenticate makes j's clients use an API key.
func (j *Jeton) authenticate(credentials *scw.Profile) {
	j.AccessKey, j.SecretKey = *credentials.AccessKey, *credentials.SecretKey
	j.ProjectID, j.OrganizationID = *credentials.DefaultProjectID, *credentials.DefaultOrganizationID
}

// sameProject returns a generator whose first ID, that of the first project, is the same
// for all servers, so that tests share the project's build cache.
func sameProject(newID func() string) func() string {
	var once sync.Once
	return func() string {
		id := ""
		once.Do(func() { id = "7e57ed00-0000-4000-8000-000000000001" })
		return cmp.Or(id, newID())
	}
}

// Over starts another server with a data folder that contains j's API key. The server
// stops when the test ends.
func (j *Jeton) Over(dataDir string) *Jeton {
	j.t.Helper()
	other := &Jeton{
		t: j.t, config: j.config, DataDir: dataDir, Log: &testlog.Buffer{},
		AccessKey: j.AccessKey, SecretKey: j.SecretKey, ProjectID: j.ProjectID, OrganizationID: j.OrganizationID,
	}
	other.config.DataDir, other.config.Credentials = dataDir, server.CredentialsPath(dataDir)
	setInstallation(&other.config)
	other.start()
	other.atEnd()
	return other
}

func (j *Jeton) atEnd() {
	j.t.Cleanup(func() {
		j.Stop()
		j.searchStopped()
		if j.t.Failed() {
			j.t.Logf("log of the server:\n%s", j.Log)
		}
	})
}

func (j *Jeton) start() *scw.Profile {
	j.t.Helper()
	if j.process != nil {
		j.startProcess()
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.NewTextHandler(j.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	running, err := server.Open(ctx, j.config, log)
	if err != nil {
		cancel()
		j.t.Fatalf("start the server: %v", err)
	}
	j.reachedAt(running.Endpoints())
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

func (j *Jeton) reachedAt(e server.Endpoints) {
	j.APIURL, j.GatewayURL, j.GatewayTLSURL, j.OpsURL = e.API, e.Gateway, e.GatewayTLS, e.Ops
	j.Admin = admin.NewClient(e.Admin)
}

// Stop stops the server before the test ends. It does nothing if the server is stopped.
func (j *Jeton) Stop() {
	if j.stop != nil {
		j.searchRunning()
		j.stop()
		j.stop = nil
		j.searchPods()
	}
}

// Restart stops the server and starts another one with the same data folder, new
// addresses, and a configuration that the options change.
func (j *Jeton) Restart(options ...Option) {
	j.t.Helper()
	j.Stop()
	for _, option := range options {
		option(&j.config)
	}
	j.start()
}

// Env returns the environment variables that Scaleway's clients need to use the server.
func (j *Jeton) Env() map[string]string {
	return map[string]string{
		scw.ScwAPIURLEnv: j.APIURL, scw.ScwAccessKeyEnv: j.AccessKey, scw.ScwSecretKeyEnv: j.SecretKey,
		scw.ScwDefaultProjectIDEnv: j.ProjectID, scw.ScwDefaultOrganizationIDEnv: j.OrganizationID,
		scw.ScwDefaultRegionEnv: "fr-par",
	}
}

// Key creates an API key with permission sets for a project. The project "" is the first
// one.
func (j *Jeton) Key(project string, permissions ...string) admin.APIKey {
	j.t.Helper()
	key, err := j.Admin.CreateKey(j.t.Context(), admin.CreateKey{Project: project, Permissions: permissions})
	if err != nil {
		j.t.Fatalf("create an API key: %v", err)
	}
	return key
}

// Client returns the official SDK's client with the first API key.
func (j *Jeton) Client(options ...scw.ClientOption) *scw.Client {
	j.t.Helper()
	return j.ClientOf(admin.APIKey{
		AccessKey: j.AccessKey, SecretKey: j.SecretKey, ProjectID: j.ProjectID, OrganizationID: j.OrganizationID,
	}, options...)
}

// ClientOf returns the official SDK's client with an API key.
func (j *Jeton) ClientOf(key admin.APIKey, options ...scw.ClientOption) *scw.Client {
	j.t.Helper()
	client, err := scw.NewClient(append([]scw.ClientOption{
		scw.WithAPIURL(j.APIURL), scw.WithAuth(key.AccessKey, key.SecretKey), scw.WithDefaultRegion(scw.RegionFrPar),
		scw.WithDefaultProjectID(key.ProjectID), scw.WithDefaultOrganizationID(key.OrganizationID),
	}, options...)...)
	if err != nil {
		j.t.Fatalf("create a client: %v", err)
	}
	return client
}
