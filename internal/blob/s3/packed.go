package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/tree"
)

// A packedFolder is a folder as a tar file that has no name.
type packedFolder struct {
	*os.File

	size   int64
	digest string
}

// pack packs a folder into a temporary file, which the caller closes.
func (b *Bucket) pack(ctx context.Context, dir string) (*packedFolder, error) {
	file, err := b.temporary()
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	if err := pack(ctx, dir, io.MultiWriter(file, hash)); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err == nil && size > maxObject {
		err = fmt.Errorf("pack folder: %w: more than %d bytes", tree.ErrLimit, int64(maxObject))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &packedFolder{File: file, size: size, digest: hex.EncodeToString(hash.Sum(nil))}, nil
}

// digestOf returns the digest that pack computes for a folder.
func digestOf(ctx context.Context, dir string) (string, error) {
	hash := sha256.New()
	if err := pack(ctx, dir, hash); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// unpack writes the content of an object to the folder content in the empty folder dir,
// and returns its path. The last part of the object's key is its digest.
func (b *Bucket) unpack(ctx context.Context, o object, dir string) (string, error) {
	into := filepath.Join(dir, "content")
	err := b.read(ctx, o, o.parts[len(o.parts)-1], func(r io.Reader) error {
		// A former attempt may have left something.
		if err := tree.Remove(into); err != nil {
			return err
		}
		if err := os.Mkdir(into, 0o755); err != nil {
			return err
		}
		return unpack(ctx, r, into, o.size)
	})
	return into, err
}
