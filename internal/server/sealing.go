package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
)

const (
	// seedFile is the file of the data folder with the sealed seed of a single server.
	seedFile    = "installation.sealed"
	seedPurpose = "seed of the installation"
	// keyPoll is the time between two reads of the file with the sealing keys.
	keyPoll = 2 * time.Second
)

// A keyring is the file with the sealing keys, and the sealer that uses them.
type keyring struct {
	path   string
	sealer *secret.Sealer
	log    *slog.Logger

	mu sync.Mutex
	// keys are those in use, the current one first.
	keys [][]byte
}

// sealingKey returns the path of the file with the sealing keys.
func (c Config) sealingKey(data folder) string { return cmp.Or(c.SealingKey, data.path(keyFile)) }

// openKeys reads the sealing keys. It creates a key only in the data folder.
func openKeys(config Config, data folder, log *slog.Logger) (*keyring, error) {
	load := secret.LoadKeys
	if config.SealingKey != "" {
		load = secret.ReadKeys
	}
	path := config.sealingKey(data)
	keys, err := load(path)
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	sealer, err := secret.NewSealer(keys...)
	return &keyring{path: path, sealer: sealer, log: log, keys: keys}, err
}

// oldest returns the last key in the file.
func (k *keyring) oldest() []byte { return k.keys[len(k.keys)-1] }

// reload reads the file again. It refuses keys that do not open what the current key seals.
func (k *keyring) reload() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	keys, err := secret.ReadKeys(k.path)
	if err != nil || slices.EqualFunc(keys, k.keys, bytes.Equal) {
		return err
	}
	if !slices.ContainsFunc(keys, func(key []byte) bool { return bytes.Equal(key, k.keys[0]) }) {
		return fmt.Errorf("%s does not have the key that this server seals with: keep that key in the file, below the new one, until 'jeton reseal' has ended", k.path)
	}
	if err := k.sealer.Use(keys...); err != nil {
		return err
	}
	k.keys = keys
	k.log.Info("the sealing keys have changed", "file", k.path, "keys", len(keys))
	return nil
}

// watch reads the file regularly until ctx ends.
func (k *keyring) watch(ctx context.Context) {
	ticker := time.NewTicker(keyPoll)
	defer ticker.Stop()
	last := ""
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		text := ""
		if err := k.reload(); err != nil {
			text = err.Error()
		}
		if text != "" && text != last {
			k.log.Error("the sealing keys are not read again: the server uses the previous ones", "error", text)
		}
		last = text
	}
}

// A seed is what identifies an installation and signs its URLs. It does not change with
// the sealing key.
type seed struct {
	installation string
	urlKey       []byte
}

// openSeed reads the seed, or derives it from the oldest sealing key.
func openSeed(ctx context.Context, database store.Store, data folder, k *keyring) (seed, error) {
	create := func() ([]byte, error) {
		derived := append(derive(k.oldest(), "installation"), derive(k.oldest(), "signed addresses")...)
		return k.sealer.Seal(derived, seedPurpose), nil
	}
	var sealed []byte
	var err error
	if shared, ok := database.(*postgres.Store); ok {
		sealed, err = shared.Setting(ctx, postgres.SeedSetting, create)
	} else {
		sealed, err = data.readOrCreate(seedFile, create)
	}
	if err != nil {
		return seed{}, err
	}
	plain, err := k.sealer.Open(sealed, seedPurpose)
	if err != nil || len(plain) != 2*sha256.Size {
		return seed{}, fmt.Errorf("%s has not the key that sealed the seed of the installation: restore the file, or add the earlier key to it", k.path)
	}
	return seed{installation: hex.EncodeToString(plain[:sha256.Size]), urlKey: plain[sha256.Size:]}, nil
}

// readOrCreate reads a private file, or creates it.
func (f folder) readOrCreate(name string, create func() ([]byte, error)) ([]byte, error) {
	content, err := os.ReadFile(f.path(name))
	if !errors.Is(err, os.ErrNotExist) {
		return content, err
	}
	if content, err = create(); err != nil {
		return nil, err
	}
	return content, renameio.WriteFile(f.path(name), content, 0o600, renameio.WithTempDir(string(f)))
}
