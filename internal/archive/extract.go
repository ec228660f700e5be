package archive

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
)

// Extract unpacks the zip of size bytes in r into dir, which must exist and be empty.
// Files get mode 0644, or 0755 if one of their execute bits is set; folders get 0755; the
// process's umask applies. Symbolic links must be relative and stay within the archive.
// Folders of version control systems, such as .git, are left out at any depth. Extract
// returns an *Error if the archive is invalid, ctx's error if ctx ended, and another
// error if the disk fails. After an error dir is empty.
func Extract(ctx context.Context, r io.ReaderAt, size int64, dir string, limits Limits) error {
	limits = limits.orDefaults()
	if size > limits.Packed {
		return &Error{Problem: fmt.Sprintf("is larger than %d bytes", limits.Packed)}
	}
	source := &source{ctx: ctx, from: r}
	entries, err := list(source, size, limits)
	if err != nil {
		return err
	}
	root, err := openEmpty(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	w := writer{root: root, source: source, limit: limits.Unpacked, remaining: limits.Unpacked}
	if err := w.writeAll(entries); err != nil {
		return errors.Join(err, empty(root))
	}
	return nil
}

// list reads and checks the archive's central directory.
func list(s *source, size int64, limits Limits) ([]entry, error) {
	s.bound(int64(limits.Entries)*directoryBytesPerEntry + directorySearch)
	defer s.unbound()
	z, err := zip.NewReader(s, size)
	switch {
	case errors.Is(err, zip.ErrInsecurePath):
		// The reader has all entries. plan returns the error for the insecure one.
	case errors.Is(err, errDirectoryTooLong):
		return nil, &Error{Problem: fmt.Sprintf("has more than %d entries", limits.Entries)}
	case err != nil:
		return nil, s.classify("", err)
	}
	s.unbound()
	return plan(s, z.File, limits)
}

func openEmpty(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder to unpack into: %w", err)
	}
	names, err := readNames(root)
	if err == nil && len(names) > 0 {
		err = fmt.Errorf("open folder to unpack into: not empty: it contains %q", names[0])
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return root, nil
}

// empty removes the content of a folder.
func empty(root *os.Root) error {
	names, err := readNames(root)
	for _, name := range names {
		err = errors.Join(err, root.RemoveAll(name))
	}
	return err
}

func readNames(root *os.Root) ([]string, error) {
	d, err := root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("list folder to unpack into: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list folder to unpack into: %w", err)
	}
	return names, nil
}

// A writer unpacks entries, and counts the unpacked bytes itself: the sizes in the
// headers are untrusted.
type writer struct {
	root   *os.Root
	source *source
	limit  int64
	// remaining is the part of limit that is not used yet; negative beyond the limit.
	remaining int64
}

// writeAll writes the links last, so that no file is written through a link.
func (w *writer) writeAll(entries []entry) error {
	for _, links := range []bool{false, true} {
		for _, e := range entries {
			if e.link != links {
				continue
			}
			if err := w.source.ctx.Err(); err != nil {
				return err
			}
			if err := w.write(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) write(e entry) error {
	if e.dir {
		return wrapWrite(e.name, w.root.MkdirAll(e.name, 0o755))
	}
	if err := w.root.MkdirAll(path.Dir(e.name), 0o755); err != nil {
		return wrapWrite(e.name, err)
	}
	if e.link {
		return w.writeLink(e)
	}
	out, err := w.root.OpenFile(e.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, e.mode)
	if err != nil {
		return wrapWrite(e.name, err)
	}
	err = w.copy(out, e)
	return errors.Join(err, wrapWrite(e.name, out.Close()))
}

func (w *writer) writeLink(e entry) error {
	if w.remaining -= int64(len(e.target)); w.remaining < 0 {
		return w.tooLarge(e)
	}
	return wrapWrite(e.name, w.root.Symlink(e.target, e.name))
}

func (w *writer) tooLarge(e entry) error {
	return &Error{Entry: e.file.Name, Problem: fmt.Sprintf("makes the archive larger than %d bytes unpacked", w.limit)}
}

func (w *writer) copy(out io.Writer, e entry) error {
	in, err := e.file.Open()
	if err != nil {
		return w.source.classify(e.file.Name, err)
	}
	defer in.Close()
	sink := &sink{to: out}
	n, err := io.Copy(sink, io.LimitReader(in, w.remaining+1))
	w.remaining -= n
	switch {
	case sink.err != nil:
		return wrapWrite(e.name, sink.err)
	case err != nil:
		return w.source.classify(e.file.Name, err)
	case w.remaining < 0:
		return w.tooLarge(e)
	}
	return nil
}

func wrapWrite(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("unpack %q: %w", name, err)
}
