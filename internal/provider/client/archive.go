package client

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// MaxArchiveBytes is the largest archive that the service accepts, from Scaleway's
// documentation of 2026. Its error for a larger one does not name the size.
const MaxArchiveBytes = 100 << 20

// An Archive identifies a zip archive by two digests. The zero value identifies
// none.
type Archive struct {
	// Digest is the SHA-256 of the file, in hex.
	Digest string `json:"digest"`
	// Content is the digest of what the archive unpacks to, regardless of the
	// times and the order of its entries. It is "" where it is not known, or where
	// the archive cannot be unpacked within the service's limits.
	Content string `json:"content,omitempty"`
}

// Known reports whether a identifies an archive.
func (a Archive) Known() bool { return a.Digest != "" }

// Same reports whether both archives hold the same code. An archive that is not
// known is the same as no other.
func (a Archive) Same(b Archive) bool {
	return a.Known() && (a.Digest == b.Digest || (a.Content != "" && a.Content == b.Content))
}

// ReadArchive identifies the archive at path. It unpacks the archive only if its
// digest differs from that of known, which may be the zero value, or if the content
// of known is not known. A file that Upload would refuse is an error.
func ReadArchive(path string, known Archive) (Archive, error) {
	file, size, err := openArchive(path)
	if err != nil {
		return Archive{}, err
	}
	defer func() { _ = file.Close() }()
	read, err := identify(file, size, known)
	if err != nil {
		return Archive{}, fmt.Errorf("read %s: %w", path, err)
	}
	return read, nil
}

// CheckArchive returns the error with which Upload would refuse the file at path for
// what it is, without reading it.
func CheckArchive(path string) error {
	file, _, err := openArchive(path)
	if err != nil {
		return err
	}
	return file.Close()
}

func identify(archive io.ReaderAt, size int64, known Archive) (Archive, error) {
	digest, err := digestOf(io.NewSectionReader(archive, 0, size))
	if err != nil {
		return Archive{}, err
	}
	if digest == known.Digest && known.Content != "" {
		return known, nil
	}
	return Archive{Digest: digest, Content: contentDigest(archive, size, maxUnpackedBytes)}, nil
}

func openArchive(path string) (*os.File, int64, error) {
	// Opening a named pipe would wait for its writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if err := checkArchive(info); err != nil {
		return nil, 0, fmt.Errorf("archive %s: %w", path, err)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	if info, err = file.Stat(); err == nil {
		err = checkArchive(info)
	}
	if err != nil {
		_ = file.Close()
		return nil, 0, fmt.Errorf("archive %s: %w", path, err)
	}
	return file, info.Size(), nil
}

func checkArchive(info os.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return errors.New("not a regular file: name a zip archive")
	case info.Size() == 0:
		return errors.New("file is empty: name a zip archive that holds the function's code")
	case info.Size() > MaxArchiveBytes:
		return fmt.Errorf("file has %d bytes and the service takes at most %d: leave out what the function does not need", info.Size(), MaxArchiveBytes)
	default:
		return nil
	}
}

// digestOf reads at most what an archive may have.
func digestOf(archive io.Reader) (string, error) {
	hash := sha256.New()
	size, err := io.Copy(hash, io.LimitReader(archive, MaxArchiveBytes+1))
	if err != nil {
		return "", err
	}
	if size > MaxArchiveBytes {
		return "", errArchiveTooLarge
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

var errArchiveTooLarge = fmt.Errorf("archive is larger than the %d bytes that the service takes", MaxArchiveBytes)
