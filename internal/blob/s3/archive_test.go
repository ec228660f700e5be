package s3_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/test/s3server"
)

func archiveKeys(t *testing.T, bucket string) []string {
	t.Helper()
	var found []string
	for _, key := range s3server.Shared(t).Keys(t, bucket) {
		if strings.Contains(key, "/archives/") {
			found = append(found, key)
		}
	}
	return found
}

func TestArchives_KeepOneUploadOfSameContent(t *testing.T) {
	t.Parallel()
	c := config(t)
	archives := open(t, c).Archives()
	for range 5 {
		if _, err := archives.Put(t.Context(), "f", strings.NewReader("content"), 7, accept); err != nil {
			t.Fatal(err)
		}
	}
	if keys := archiveKeys(t, c.Location.Bucket); len(keys) != 1 {
		t.Errorf("got %v, want one upload", keys)
	}
}

// Two nodes upload the same archive at the same time, and one of them fails to commit it.
func TestArchives_FailedCommitLeavesUploadOfAnotherNode(t *testing.T) {
	t.Parallel()
	c := config(t)
	one, two := open(t, c).Archives(), open(t, elsewhere(t, c)).Archives()
	refused := errors.New("refused")
	var digest string
	_, err := one.Put(t.Context(), "f", strings.NewReader("content"), 7, func(blob.Archive) error {
		archive, err := two.Put(t.Context(), "f", strings.NewReader("content"), 7, accept)
		digest = archive.Digest
		return errors.Join(err, refused)
	})
	if !errors.Is(err, refused) {
		t.Fatal(err)
	}
	opened, err := one.Open(t.Context(), "f", digest)
	if err != nil {
		t.Fatal(err)
	}
	_ = opened.Close()
	if keys := archiveKeys(t, c.Location.Bucket); len(keys) != 1 {
		t.Errorf("got %v, want one upload", keys)
	}
}

// An upload has several parts, which are not in memory.
func TestArchives_LargeUpload(t *testing.T) {
	t.Parallel()
	const size = 70 << 20
	archives := open(t, config(t)).Archives()
	hash := sha256.New()
	random := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{1}), size), hash)
	archive, err := archives.Put(t.Context(), "f", random, size, accept)
	if err != nil || archive.Size != size || archive.Digest != hex.EncodeToString(hash.Sum(nil)) {
		t.Fatalf("Put() = %+v, %v", archive, err)
	}
	opened, err := archives.Open(t.Context(), "f", archive.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if opened.Size() != size {
		t.Errorf("got %d bytes, want %d", opened.Size(), size)
	}
}

func TestUsage_OfManyFunctions(t *testing.T) {
	t.Parallel()
	c := config(t)
	archives := open(t, c).Archives()
	var ids []string
	for n := range 20 {
		ids = append(ids, fmt.Sprint("f", n))
		putObject(t, c.Location.Bucket, fmt.Sprintf("%sarchives/f%d/digest/attempt", c.Location.Prefix, n), []byte("four"))
	}
	putObject(t, c.Location.Bucket, c.Location.Prefix+"archives/other/digest/attempt", []byte("four"))
	putObject(t, c.Location.Bucket, c.Location.Prefix+"archives/f0/digest/another", []byte("four"))
	for count, ids := range map[int][]string{20: ids, 2: ids[:2]} {
		var got int64
		err := archives.Usage(t.Context(), ids, func(bytes int64) error {
			got = bytes
			return nil
		})
		if err != nil || got != int64(4*count) {
			t.Errorf("Usage() of %d functions = %d, %v, want %d", count, got, err, 4*count)
		}
	}
}
