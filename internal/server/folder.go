package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"

	"github.com/jeton-dev/jeton/internal/child"
)

// ErrInUse is returned if another server uses the data folder.
var ErrInUse = errors.New("another jeton serves from this data folder: stop it, or choose another folder with --data-dir")

const (
	// EndpointsFile is the file of the data folder that has the Endpoints of the
	// running server as JSON.
	EndpointsFile = "endpoints.json"

	// lockFile is locked while a server uses the folder.
	lockFile     = "lock"
	keyFile      = "secret.key"
	databaseFile = "jeton.db"
)

// Endpoints are the addresses of a running server.
type Endpoints struct {
	API     string `json:"api"`
	Gateway string `json:"gateway"`
	// APITLS, GatewayTLS and Ops are empty if these ports are disabled.
	APITLS     string `json:"api_tls,omitempty"`
	GatewayTLS string `json:"gateway_tls,omitempty"`
	Ops        string `json:"ops,omitempty"`
	// Cluster is the host:port for the other nodes; empty without a PostgreSQL database.
	Cluster string `json:"cluster,omitempty"`
	// Admin is the path of the Unix socket for administration.
	Admin string `json:"admin"`
}

// A folder is the data folder of this server.
type folder string

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

// lockFolder creates and locks the data folder. It makes the paths of folders in
// the configuration absolute, since builds and instances have other working folders.
func lockFolder(ctx context.Context, config *Config, opened *closers) (folder, error) {
	// File descriptors that the parent process has left open must not reach functions.
	if err := child.CloseInheritedOnExec(); err != nil {
		return "", err
	}
	for _, path := range []*string{&config.DataDir, &config.CacheDir} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return "", fmt.Errorf("data folder: %w", err)
		}
		*path = absolute
	}
	if err := os.MkdirAll(config.DataDir, 0o700); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	// An existing folder may be accessible to others.
	if err := os.Chmod(config.DataDir, 0o700); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	data := folder(config.DataDir)
	lock := flock.New(data.path(lockFile))
	locked, err := tryLock(ctx, lock)
	if err != nil {
		return "", fmt.Errorf("data folder %s: %w", config.DataDir, err)
	}
	if !locked {
		return "", fmt.Errorf("%s: %w", config.DataDir, ErrInUse)
	}
	opened.add(lock)
	return data, nil
}

// lockTimeout is how long a start waits for the lock of the data folder. A child
// process of a killed server holds the lock until it executes its program.
const lockTimeout = time.Second

// tryLock reports whether it has locked the file within lockTimeout.
func tryLock(ctx context.Context, lock *flock.Flock) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	locked, err := lock.TryLockContext(ctx, lockTimeout/50)
	if errors.Is(err, context.DeadlineExceeded) {
		return false, nil
	}
	return locked, err
}

// Serving reports whether a server uses a data folder now.
func Serving(dataDir string) bool {
	if _, err := os.Stat(filepath.Join(dataDir, EndpointsFile)); err != nil {
		return false
	}
	lock := flock.New(filepath.Join(dataDir, lockFile))
	free, err := lock.TryLock()
	if err == nil && free {
		_ = lock.Unlock()
	}
	return err == nil && !free
}

// Reach returns the addresses of the server that uses a data folder now, and
// whether there is such a server.
func Reach(dataDir string) (Endpoints, bool) {
	var endpoints Endpoints
	if !Serving(dataDir) {
		return endpoints, false
	}
	content, err := os.ReadFile(filepath.Join(dataDir, EndpointsFile))
	if err != nil || json.Unmarshal(content, &endpoints) != nil {
		return endpoints, false
	}
	return endpoints, true
}

// MissingKey returns the path of the encryption key of a data folder if the file
// does not exist, and "" if it exists.
func MissingKey(dataDir string) string {
	path := filepath.Join(dataDir, keyFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return path
	}
	return ""
}

// announce writes the endpoints file. It is the last step of Open, so that clients
// that find the file find a server that answers.
func announce(b *base, opened *closers) error {
	encoded, err := json.Marshal(b.listeners.endpoints)
	if err != nil {
		return err
	}
	path := b.folder.path(EndpointsFile)
	if err := renameio.WriteFile(path, encoded, 0o600, renameio.WithTempDir(filepath.Dir(path))); err != nil {
		return err
	}
	opened.addFunc(func() error { return os.Remove(path) })
	return nil
}
