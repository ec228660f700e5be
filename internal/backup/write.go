package backup

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/tree"
)

// The names in a data folder.
const (
	databaseFile   = "jeton.db"
	keyFile        = "secret.key"
	archivesFolder = "archives"
	artifactsDir   = "artifacts"
	acmeFolder     = "acme"
)

// optional are the files and folders that are in a backup if they exist.
var optional = []string{"ca.pem", "ca.key", "installation.sealed", acmeFolder}

// auditLog is the current file of the audit log. Older ones have a number as suffix.
const auditLog = "audit.log"

var auditFile = regexp.MustCompile(`^audit\.log(\.[0-9]{1,4})?$`)

// Options determine the contents of a backup.
type Options struct {
	// WithoutKey leaves out the key of the sealed values. With it, the backup contains
	// every secret.
	WithoutKey bool
	// Now is the time of the backup.
	Now time.Time
}

// attempts is the maximum number of attempts. A server may remove files during one.
const attempts = 5

// Write writes a backup of the data folder as a compressed tar. A server may use the
// folder at the same time: the backup is consistent as of one instant.
func Write(ctx context.Context, dataDir string, out io.Writer, options Options) error {
	work, err := os.MkdirTemp(dataDir, "backup-*")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() { _ = tree.Remove(work) }() // A leftover does no harm.
	for attempt := 1; ; attempt++ {
		pinned := filepath.Join(work, fmt.Sprint(attempt))
		err := pin(ctx, dataDir, pinned, options)
		if err == nil {
			return pack(pinned, out, options.Now)
		}
		if attempt == attempts || !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("backup: %w", err)
		}
	}
}

// pin creates a folder with the state of the data folder at one instant. Archives and
// artifacts never change, so hard links to them suffice. It returns fs.ErrNotExist if a
// server removes one before it is linked.
func pin(ctx context.Context, dataDir, pinned string, options Options) error {
	if err := os.Mkdir(pinned, 0o700); err != nil {
		return err
	}
	snapshot := filepath.Join(pinned, databaseFile)
	if err := sqlite.Snapshot(ctx, filepath.Join(dataDir, databaseFile), snapshot); err != nil {
		return err
	}
	needed, err := referenced(ctx, snapshot)
	if err != nil {
		return err
	}
	if !options.WithoutKey {
		needed = append(needed, keyFile)
	}
	for _, name := range needed {
		if err := link(ctx, dataDir, pinned, name); err != nil {
			return err
		}
	}
	for _, name := range optional {
		if err := link(ctx, dataDir, pinned, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return linkAuditLogs(ctx, dataDir, pinned)
}

// linkAuditLogs links the files of the audit log. It starts with the current one, which
// is then in the backup even if it is rotated in the meantime.
func linkAuditLogs(ctx context.Context, dataDir, pinned string) error {
	if err := link(ctx, dataDir, pinned, auditLog); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	current, _ := os.Lstat(filepath.Join(pinned, auditLog))
	older, err := filepath.Glob(filepath.Join(dataDir, auditLog+".*"))
	if err != nil {
		return err
	}
	for _, path := range older {
		name := filepath.Base(path)
		info, err := os.Lstat(path)
		if err != nil || !auditFile.MatchString(name) || current != nil && os.SameFile(info, current) {
			continue // The oldest file was removed.
		}
		if err := link(ctx, dataDir, pinned, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// referenced returns the archives and artifacts that the functions of a snapshot need.
func referenced(ctx context.Context, snapshot string) (names []string, err error) {
	objects, err := sqlite.Open(ctx, snapshot, time.Now)
	if err != nil {
		return nil, err
	}
	// Closing merges the write-ahead log into the file.
	defer func() { err = errors.Join(err, objects.Close()) }()
	return names, objects.View(ctx, func(tx store.Tx) error {
		all, _, err := tx.Functions(functions.Filter{}, functions.Page{})
		for _, f := range all {
			if f.Status == functions.Deleting {
				continue // Its files are being removed.
			}
			archives := map[string]bool{f.Archive: true, f.Target: true}
			if f.Revision != nil {
				archives[f.Revision.Archive] = true
				if f.Revision.Artifact != "" {
					names = append(names, filepath.Join(artifactsDir, f.ID, f.Revision.Artifact))
				}
			}
			for digest := range archives {
				if digest != "" {
					names = append(names, filepath.Join(archivesFolder, f.ID, digest))
				}
			}
		}
		return err
	})
}

// link creates a hard link to a file, or to all files of a folder, in the pinned folder.
// If that is not possible, it copies them.
func link(ctx context.Context, from, to, name string) error {
	source, target := filepath.Join(from, name), filepath.Join(to, name)
	info, err := os.Lstat(source)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	if info.IsDir() {
		return tree.Copy(ctx, source, target, tree.Options{Link: true})
	}
	return tree.CopyFile(ctx, source, target, tree.Options{Link: true})
}

// pack writes the files of a folder as a compressed tar.
func pack(folder string, out io.Writer, now time.Time) error {
	compressed := gzip.NewWriter(out)
	compressed.ModTime = now
	packed := tar.NewWriter(compressed)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			return packLink(packed, path, filepath.ToSlash(name))
		}
		return packFile(packed, path, filepath.ToSlash(name))
	})
	if err := errors.Join(err, packed.Close(), compressed.Close()); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

func packLink(packed *tar.Writer, path, name string) error {
	target, err := os.Readlink(path)
	if err != nil {
		return err
	}
	return packed.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target, Mode: 0o777, Format: tar.FormatPAX})
}

func packFile(packed *tar.Writer, path, name string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: name, Size: info.Size(), Mode: int64(info.Mode().Perm()), ModTime: info.ModTime(), Format: tar.FormatPAX}
	if err := packed.WriteHeader(header); err != nil {
		return err
	}
	// A log may have grown in the meantime.
	_, err = io.CopyN(packed, file, info.Size())
	return err
}
