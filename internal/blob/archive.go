package blob

import (
	"context"
	"io"
)

// Archives stores the code archives that clients upload, by function and by the
// SHA-256 digest of the content. All methods are safe for concurrent use, and
// return ErrInvalidName for a function ID or digest that cannot be a file name.
type Archives interface {
	// Put reads an archive from r, stores it, and calls commit, which records
	// that the archive is in use. After Put has returned nil, the archive
	// survives a crash. If commit fails, Put returns its error and stores
	// nothing new, except that it may store the archive again and repeat commit after
	// ErrCondemned. Returns ErrTooLarge for more than limit bytes.
	Put(ctx context.Context, functionID string, r io.Reader, limit int64, commit func(Archive) error) (Archive, error)
	// Open opens an archive for reading. The caller closes it. Returns ErrNotFound.
	Open(ctx context.Context, functionID, digest string) (Content, error)
	// Size returns the length of an archive in bytes. Returns ErrNotFound.
	Size(ctx context.Context, functionID, digest string) (int64, error)
	// Usage calls use with the total size of the functions' archives in bytes,
	// and returns its error. This process neither commits nor removes an archive
	// while use runs.
	Usage(ctx context.Context, functionIDs []string, use func(bytes int64) error) error
	// Prune removes the archives of a function except those whose digests needed
	// returns. This process commits no archive while needed runs.
	Prune(ctx context.Context, functionID string, needed func() (digests []string, err error)) error
	// Delete removes all archives of a function. It succeeds if there are none.
	Delete(ctx context.Context, functionID string) error
	// Functions returns the IDs of the functions that have archives, in any order.
	Functions(ctx context.Context) ([]string, error)
}

// An Archive describes a stored archive.
type Archive struct {
	// Digest is the SHA-256 digest of the content in lower-case hexadecimal.
	Digest string
	// MD5 is the MD5 digest in hexadecimal, for the ETag that S3 clients expect.
	MD5 string
	// Size is in bytes.
	Size int64
	// Key identifies this copy of the archive for Removals. It is empty if the store does
	// not use Removals.
	Key string
}

// Content is an open archive. ReadAt is safe for concurrent use.
type Content interface {
	io.ReaderAt
	io.Closer
	// Size returns the length of the content in bytes.
	Size() int64
}
