package secret

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// LoadKey reads a Sealer's key from the file at path. If the file does not exist,
// LoadKey creates it with a random key and mode 0600.
func LoadKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return createKey(path)
	}
	if err != nil {
		return nil, err
	}
	if len(key) != KeySize {
		return nil, fmt.Errorf("read sealing key %s: got %d bytes, want %d: restore the file from a backup; without it the sealed values are lost", path, len(key), KeySize)
	}
	return key, nil
}

// createKey creates a key atomically: a crash leaves either no key or a complete one.
func createKey(path string) ([]byte, error) {
	key := make([]byte, KeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	if err := renameio.WriteFile(path, key, 0o600, renameio.WithTempDir(filepath.Dir(path))); err != nil {
		return nil, err
	}
	// Without this a power failure may undo the rename after values were sealed.
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	return key, errors.Join(folder.Sync(), folder.Close())
}
