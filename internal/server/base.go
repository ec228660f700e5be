package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"log/slog"

	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
)

// base is what every other part of a server needs.
type base struct {
	config  Config
	log     *slog.Logger
	names   *names
	clock   *clock
	folder  folder
	traffic *trafficLimits
	*storage
	*blobs

	*member

	listeners *listeners
	attempts  *iam.Attempts
}

// openBase validates the configuration, locks the data folder, opens the store and
// the blobs, and listens.
func openBase(ctx context.Context, config Config, log *slog.Logger, opened *closers) (*base, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	known := new(names)
	log = namedLog(log, known)
	data, err := lockFolder(ctx, &config, opened)
	if err != nil {
		return nil, err
	}
	storage, err := openStorage(ctx, config, log, data, opened)
	if err != nil {
		return nil, err
	}
	if err := warnOfClock(ctx, config, storage.store, log); err != nil {
		return nil, err
	}
	blobs, err := openBlobs(ctx, config, data, storage, opened)
	if err != nil {
		return nil, err
	}
	listeners, err := listen(ctx, config, data, opened)
	if err != nil {
		return nil, err
	}
	member, err := newMember(ctx, config, log, data, storage, listeners)
	if err != nil {
		return nil, err
	}
	return &base{
		config: config, log: log, names: known, clock: &clock{now: config.Now, offset: member.node.Offset, log: log}, folder: data,
		traffic: newTrafficLimits(config, log), storage: storage, blobs: blobs, member: member, listeners: listeners,
		attempts: iam.NewAttempts(config.WrongKeys),
	}, nil
}

// storage is the database and the keys that encrypt and sign.
type storage struct {
	store   store.Store
	sealer  *secret.Sealer
	keyring *keyring
	// urlKey signs the URLs of archives.
	urlKey []byte
	// installation identifies all servers that have the same encryption key.
	installation string
}

func openStorage(ctx context.Context, config Config, log *slog.Logger, data folder, opened *closers) (*storage, error) {
	database, err := openDatabase(ctx, config, log, data, opened)
	if err != nil {
		return nil, err
	}
	keys, err := openKeys(config, data, log)
	if err != nil {
		return nil, err
	}
	if shared, ok := database.(*postgres.Store); ok {
		if err := checkSealingKey(ctx, shared, keys, data); err != nil {
			return nil, err
		}
	}
	seed, err := openSeed(ctx, database, data, keys)
	if err != nil {
		return nil, err
	}
	return &storage{store: database, sealer: keys.sealer, keyring: keys, urlKey: seed.urlKey, installation: seed.installation}, nil
}

// derive returns a key or an ID for a purpose, from which the encryption key cannot be
// computed.
func derive(key []byte, purpose string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}
