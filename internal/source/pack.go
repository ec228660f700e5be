package source

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// IgnoreFile is the name of the file with patterns of files that do not belong to the code, in
// the syntax of .dockerignore.
const IgnoreFile = ".jetonignore"

// alwaysIgnored are patterns before those of the ignore file, which can except files from
// them.
var alwaysIgnored = []string{
	IgnoreFile, ProjectFile, "**/.git", "**/.hg", "**/.svn", "**/.DS_Store", "**/__pycache__", "**/.venv", "**/.env", "**/.terraform",
}

// Ignore decides which files of a folder belong to its code.
type Ignore struct {
	patterns *patternmatcher.PatternMatcher
}

// LoadIgnore reads the ignore file of a folder, if there is one.
func LoadIgnore(dir string) (Ignore, error) {
	patterns := slices.Clone(alwaysIgnored)
	if _, err := os.Stat(filepath.Join(dir, "Cargo.toml")); err == nil {
		patterns = append(patterns, "target") // What cargo has compiled for this machine.
	}
	file, err := os.Open(filepath.Join(dir, IgnoreFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Ignore{}, fmt.Errorf("read ignore file: %w", err)
	}
	if err == nil {
		defer file.Close()
		own, err := ignorefile.ReadAll(io.LimitReader(file, maxProject))
		if err != nil {
			return Ignore{}, fmt.Errorf("read %s: %w", file.Name(), err)
		}
		patterns = append(patterns, own...)
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return Ignore{}, fmt.Errorf("read %s: %w", filepath.Join(dir, IgnoreFile), err)
	}
	return Ignore{matcher}, nil
}

// Match reports whether a file or folder, as a path relative to the folder, is ignored.
func (i Ignore) Match(path string) bool {
	ignored, err := i.patterns.MatchesOrParentMatches(filepath.FromSlash(path))
	return err == nil && ignored
}

// prunes reports whether no file below an ignored folder can belong to the code.
func (i Ignore) prunes() bool { return !i.patterns.Exclusions() }

// An Archive is the code of a function as a zip file. The same files have the same archive.
type Archive struct {
	Content []byte
	Files   int
}

// ErrNoFiles means that a folder has no files that belong to the code.
var ErrNoFiles = errors.New("no files")

// Pack returns the files of a folder as an archive. Files have fixed times, so that the server
// recognizes code that it has built before.
func Pack(dir string) (Archive, error) {
	ignore, err := LoadIgnore(dir)
	if err != nil {
		return Archive{}, err
	}
	var content bytes.Buffer
	p := packer{zip.NewWriter(&content), 0}
	err = walk(dir, ignore, p.add)
	if err = errors.Join(err, p.zip.Close()); err != nil {
		return Archive{}, fmt.Errorf("pack %s: %w", dir, err)
	}
	if p.files == 0 {
		return Archive{}, fmt.Errorf("pack %s: %w: the folder is empty, or %s ignores all files", dir, ErrNoFiles, IgnoreFile)
	}
	return Archive{content.Bytes(), p.files}, nil
}

// walk calls visit with each file and symbolic link that is not ignored, in lexical order.
func walk(dir string, ignore Ignore, visit func(path, name string, info fs.FileInfo) error) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == "." {
			return err
		}
		ignored := ignore.Match(name)
		switch {
		case entry.IsDir() && ignored && ignore.prunes():
			return fs.SkipDir
		case entry.IsDir(), ignored:
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // An editor has removed a temporary file.
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0 {
			return nil // Sockets and devices are no code.
		}
		return visit(path, filepath.ToSlash(name), info)
	})
}

type packer struct {
	zip   *zip.Writer
	files int
}

// packed is the time of all files in archives.
var packed = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func (p *packer) add(path, name string, info fs.FileInfo) error {
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: packed}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	header.SetMode(mode | info.Mode()&fs.ModeSymlink)
	content, err := contentOf(path, info)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer content.Close()
	file, err := p.zip.CreateHeader(header)
	if err != nil {
		return err
	}
	p.files++
	_, err = io.Copy(file, content)
	return err
}

// contentOf returns the content of a file, or the target of a symbolic link.
func contentOf(path string, info fs.FileInfo) (io.ReadCloser, error) {
	if info.Mode()&fs.ModeSymlink == 0 {
		return os.Open(path)
	}
	target, err := os.Readlink(path)
	return io.NopCloser(strings.NewReader(target)), err
}
