package secret

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"
)

// maxKeys is the maximum number of keys in a file.
const maxKeys = 16

// LoadKeys reads a Sealer's keys from the file at path. If the file does not exist,
// LoadKeys creates it with one random key and mode 0600.
func LoadKeys(path string) ([][]byte, error) {
	keys, err := ReadKeys(path)
	if errors.Is(err, os.ErrNotExist) {
		key, err := createKey(path)
		return [][]byte{key}, err
	}
	return keys, err
}

// ReadKeys reads a Sealer's keys from the file at path; see ParseKeys.
func ReadKeys(path string) ([][]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	keys, err := ParseKeys(content)
	if err != nil {
		return nil, fmt.Errorf("read sealing key %s: %w: restore the file from a backup; without it the sealed values are lost", path, err)
	}
	return keys, nil
}

// ParseKeys returns the keys in a file, the current one first. The file is either one key
// of KeySize bytes, or a text with one key per line in standard Base64. Empty lines and
// lines that begin with # are ignored.
func ParseKeys(content []byte) ([][]byte, error) {
	if len(content) == KeySize {
		return [][]byte{content}, nil
	}
	var keys [][]byte
	number := 0
	for line := range bytes.Lines(content) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		// Errors do not contain any part of a key.
		key, err := base64.StdEncoding.Strict().DecodeString(string(line))
		if err != nil || len(key) != KeySize {
			return nil, fmt.Errorf("line %d: want %d bytes in Base64, or a file of exactly %d bytes", number, KeySize, KeySize)
		}
		if slices.ContainsFunc(keys, func(known []byte) bool { return bytes.Equal(known, key) }) {
			return nil, fmt.Errorf("line %d: the key is in the file twice", number)
		}
		if keys = append(keys, key); len(keys) > maxKeys {
			return nil, fmt.Errorf("more than %d keys", maxKeys)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("got %d bytes without a key, want %d bytes", len(content), KeySize)
	}
	return keys, nil
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
