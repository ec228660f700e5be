package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
)

// base is what every other part of a server needs.
type base struct {
	config  Config
	log     *slog.Logger
	clock   *clock
	folder  folder
	traffic *trafficLimits
	*storage

	listeners *listeners
}

// openBase validates the configuration, locks the data folder, opens the store, and
// listens.
func openBase(ctx context.Context, config Config, log *slog.Logger, opened *closers) (*base, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	data, err := lockFolder(&config, opened)
	if err != nil {
		return nil, err
	}
	storage, err := openStorage(ctx, config, data, opened)
	if err != nil {
		return nil, err
	}
	if err := warnOfClock(ctx, config, storage.store, log); err != nil {
		return nil, err
	}
	listeners, err := listen(ctx, config, data, opened)
	if err != nil {
		return nil, err
	}
	return &base{
		config: config, log: log, clock: &clock{now: config.Now, log: log}, folder: data,
		traffic: newTrafficLimits(config, log), storage: storage, listeners: listeners,
	}, nil
}

// storage is the database and the keys that encrypt and sign.
type storage struct {
	store  store.Store
	sealer *secret.Sealer
	// urlKey signs the URLs of archives.
	urlKey []byte
	// installation identifies all servers that have the same encryption key.
	installation string
}

func openStorage(ctx context.Context, config Config, data folder, opened *closers) (*storage, error) {
	if err := checkKeyExists(data); err != nil {
		return nil, err
	}
	key, err := secret.LoadKey(data.path(keyFile))
	if err != nil {
		return nil, fmt.Errorf("encryption key: %w", err)
	}
	sealer, err := secret.NewSealer(key)
	if err != nil {
		return nil, err
	}
	database, err := sqlite.Open(ctx, data.path(databaseFile), config.Now)
	if err != nil {
		return nil, err
	}
	opened.add(database)
	return &storage{store: database, sealer: sealer, urlKey: derive(key, "signed addresses"), installation: hex.EncodeToString(derive(key, "installation"))}, nil
}

// derive returns a key or an ID for a purpose, from which the encryption key cannot be
// computed.
func derive(key []byte, purpose string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// checkKeyExists refuses a database without its key: a new key could not decrypt
// its values.
func checkKeyExists(data folder) error {
	_, keyErr := os.Stat(data.path(keyFile))
	_, databaseErr := os.Stat(data.path(databaseFile))
	if errors.Is(keyErr, os.ErrNotExist) && databaseErr == nil {
		return fmt.Errorf("%s is missing, and without it the sealed values of %s are lost: restore it from a backup", data.path(keyFile), databaseFile)
	}
	return nil
}
