package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
)

const (
	// databaseID is the file of the data folder with the ID of its PostgreSQL database.
	databaseID = "database.id"

	canary        = "canary"
	canaryPurpose = "canary of the sealing key"
)

// openDatabase opens the SQLite file in the data folder or, if the configuration names
// one, the PostgreSQL database. It refuses a database without the encryption key of its
// values, because a new key could not decrypt them, and a data folder that belongs to
// another database, because its archives would be deleted as unused.
func openDatabase(ctx context.Context, config Config, log *slog.Logger, data folder, opened *closers) (store.Store, error) {
	hasKey, hasFile, hasID := config.SealingKey != "" || data.has(keyFile), data.has(databaseFile), data.has(databaseID)
	if config.Database == "" {
		if hasID {
			return nil, fmt.Errorf("the data folder %s belongs to a PostgreSQL database: pass its URL with --database", data)
		}
		if hasFile && !hasKey {
			return nil, fmt.Errorf("%s is missing, and without it the sealed values of %s are lost: restore it from a backup", data.path(keyFile), databaseFile)
		}
		database, err := sqlite.Open(ctx, data.path(databaseFile), config.Now)
		if err != nil {
			return nil, err
		}
		opened.add(database)
		return database, nil
	}
	if hasFile {
		return nil, fmt.Errorf("the data folder %s has an SQLite database: start without --database, or use another data folder", data)
	}
	database, err := postgres.Open(ctx, config.Database, config.Now, postgres.WithLog(log))
	if err != nil {
		return nil, err
	}
	opened.add(database)
	used, err := database.HasSetting(ctx, postgres.CanarySetting)
	if err != nil {
		return nil, err
	}
	if used && !hasKey {
		return nil, fmt.Errorf("%s is missing, and without it the sealed values of the database are lost: copy the file from a node of the cluster, or restore it from a backup", data.path(keyFile))
	}
	return database, nil
}

// UsesPostgreSQL reports whether a data folder belongs to a PostgreSQL database.
func UsesPostgreSQL(dataDir string) bool { return folder(dataDir).has(databaseID) }

// has reports whether a file exists, or cannot be examined.
func (f folder) has(name string) bool {
	_, err := os.Stat(f.path(name))
	return !errors.Is(err, os.ErrNotExist)
}

// checkSealingKey returns an error if the values of the database were sealed with another
// key, or if the data folder belongs to another database.
func checkSealingKey(ctx context.Context, database *postgres.Store, keys *keyring, data folder) error {
	sealed, err := database.Setting(ctx, postgres.CanarySetting, func() ([]byte, error) {
		return keys.sealer.Seal([]byte(canary), canaryPurpose), nil
	})
	if err != nil {
		return err
	}
	if plain, err := keys.sealer.Open(sealed, canaryPurpose); err != nil || string(plain) != canary {
		return fmt.Errorf("%s is not the key that sealed the values of the database: copy the file from a node of the cluster or, if the key was replaced, add the earlier key to the file and run 'jeton reseal'", keys.path)
	}
	// The first canary differs between databases, because it is sealed with a random nonce.
	stored, err := database.Setting(ctx, postgres.DatabaseIDSetting, func() ([]byte, error) {
		digest := sha256.Sum256(sealed)
		return []byte(hex.EncodeToString(digest[:])), nil
	})
	if err != nil {
		return err
	}
	id := string(stored)
	known, err := os.ReadFile(data.path(databaseID))
	if errors.Is(err, os.ErrNotExist) {
		return renameio.WriteFile(data.path(databaseID), []byte(id+"\n"), 0o600, renameio.WithTempDir(string(data)))
	}
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(known)) != id {
		return fmt.Errorf("the data folder %s belongs to another database: use that one, or another data folder", data)
	}
	return nil
}
