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

// The bounds of what is unpacked to compute a content digest: the limits of the
// service, from Scaleway's documentation of 2026 and the zip format.
const (
	maxUnpackedBytes = 500 << 20
	maxEntries       = 1<<16 - 1
)

// contentScheme is the prefix of a content digest. Another way to compute it needs
// another prefix.
const contentScheme = "c1:"

var errNoContent = errors.New("archive has no content digest")

// contentDigest returns the digest of what a zip archive unpacks to: the names, the
// kinds and the contents of its entries, and whether they are executable. Those are
// what a build can see; the times, the order, the compression and the comments of
// the entries are not part of it. It returns "" for an archive that is not well
// formed, that unpacks to more than limit bytes, or in which two entries have one
// name, for which the order matters.
func contentDigest(archive io.ReaderAt, size, limit int64) string {
	z, err := zip.NewReader(archive, size)
	// The service refuses insecure paths, which is its to say.
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) || len(z.File) > maxEntries {
		return ""
	}
	slices.SortFunc(z.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	digest, left := sha256.New(), limit
	for i, entry := range z.File {
		if i > 0 && entry.Name == z.File[i-1].Name {
			return ""
		}
		// A folder is made for the files in it, with an entry or without.
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

// kind is what counts of an entry's mode.
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

// entryDigest returns the SHA-256 of an entry of at most limit bytes, and its size.
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
