package client

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// Bounds of unpacking for a content digest: Scaleway's limit on unpacked code
// (documentation of 2026), and the zip format's limit on entries.
const (
	maxUnpackedBytes = 500 << 20
	maxEntries       = 1<<16 - 1
)

// contentScheme is the prefix of a content digest. A change of the computation
// needs a new prefix.
const contentScheme = "c1:"

var errNoContent = errors.New("archive has no content digest")

// contentDigest returns a digest over the names, types, contents and executable
// bits of a zip archive's entries, which are all that a build can observe. Times,
// order, compression and comments do not change it. It returns "" for a malformed
// archive, for one that unpacks to more than limit bytes, and for one with
// duplicate names, because then the order matters.
func contentDigest(archive io.ReaderAt, size, limit int64) string {
	z, err := zip.NewReader(archive, size)
	// Insecure paths are not checked here: the service refuses them.
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) || len(z.File) > maxEntries {
		return ""
	}
	slices.SortFunc(z.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	digest, left := sha256.New(), limit
	for i, entry := range z.File {
		if i > 0 && entry.Name == z.File[i-1].Name {
			return ""
		}
		// The entry of a folder that is not empty is optional, so it is left out.
		if next := i + 1; strings.HasSuffix(entry.Name, "/") && next < len(z.File) && strings.HasPrefix(z.File[next].Name, entry.Name) {
			continue
		}
		content, read, err := entryDigest(entry, left)
		if err != nil {
			return ""
		}
		left -= read
		fmt.Fprintf(digest, "%s %q %s\n", kind(entry.Mode()), entry.Name, content)
	}
	return contentScheme + hex.EncodeToString(digest.Sum(nil))
}

// kind returns the part of an entry's mode that the digest covers: the type of the
// file and, for a regular file, whether it is executable.
func kind(mode fs.FileMode) string {
	switch {
	case mode.Type() != 0:
		return mode.Type().String()
	case mode&0o111 != 0:
		return "x"
	default:
		return "-"
	}
}

// entryDigest returns the SHA-256 of an entry and its size in bytes. An entry of
// more than limit bytes is an error.
func entryDigest(entry *zip.File, limit int64) (string, int64, error) {
	content, err := entry.Open()
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = content.Close() }()
	hash := sha256.New()
	size, err := io.Copy(hash, io.LimitReader(content, limit+1))
	if err == nil && size > limit {
		err = errNoContent
	}
	return hex.EncodeToString(hash.Sum(nil)), size, err
}
