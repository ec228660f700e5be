package client

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// MaxArchiveBytes is the largest archive that the service accepts (Scaleway's
// documentation of 2026). The service's own error does not name the limit.
const MaxArchiveBytes = 100 << 20

// An Archive identifies a zip archive by two digests. The zero value stands for an
// unknown archive.
type Archive struct {
	// Digest is the SHA-256 of the file, in hex.
	Digest string `json:"digest"`
	// Content is the digest of the unpacked content. The times and the order of
	// the entries do not change it. It is "" if it is unknown, or if the archive
	// cannot be unpacked within the service's limits.
	Content string `json:"content,omitempty"`
}

// Known reports whether a identifies an archive.
func (a Archive) Known() bool { return a.Digest != "" }

// Same reports whether both archives contain the same code. It is false if either
// is unknown.
func (a Archive) Same(b Archive) bool {
	return a.Known() && (a.Digest == b.Digest || (a.Content != "" && a.Content == b.Content))
}

// ReadArchive identifies the archive at path. If the file's digest is that of known
// and known has a content digest, it returns known without unpacking the archive.
// Known may be the zero value. A file that Upload would refuse is an error.
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

// CheckArchive returns an error if the file at path is missing, not a regular file,
// empty or too large. It does not read the file.
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
	// Check before opening: opening a named pipe blocks until it has a writer.
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
		return errors.New("file is empty: name a zip archive that contains the function's code")
	case info.Size() > MaxArchiveBytes:
		return fmt.Errorf("file has %d bytes and the service accepts at most %d: remove what the function does not need", info.Size(), MaxArchiveBytes)
	default:
		return nil
	}
}

// digestOf returns the SHA-256 of an archive of at most MaxArchiveBytes, in hex.
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

var errArchiveTooLarge = fmt.Errorf("archive is larger than the %d bytes that the service accepts", MaxArchiveBytes)
