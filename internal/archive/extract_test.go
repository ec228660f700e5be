package archive_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/archive"
)

// A member is an entry of a test's archive.
type member struct {
	name, content string
	mode          fs.FileMode
	flags         uint16
}

func link(name, target string) member {
	return member{name: name, content: target, mode: fs.ModeSymlink | 0o777}
}

// linkBomb returns n links. Each follows the previous one twice.
func linkBomb(n int) []member {
	members := []member{{name: "d/x/"}, link("l0", "d/x")}
	for i := 1; i <= n; i++ {
		members = append(members, link(fmt.Sprint("l", i), fmt.Sprintf("l%d/../../l%d", i-1, i-1)))
	}
	return members
}

// pack returns an archive of members with unchecked names.
func pack(tb testing.TB, members ...member) []byte {
	tb.Helper()
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for _, m := range members {
		header := &zip.FileHeader{Name: m.name, Method: zip.Deflate, Flags: m.flags}
		if m.mode != 0 {
			header.SetMode(m.mode)
		}
		f, err := w.CreateHeader(header)
		if err == nil && m.content != "" {
			_, err = io.WriteString(f, m.content)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return packed.Bytes()
}

func extract(tb testing.TB, packed []byte, dir string, limits archive.Limits) error {
	tb.Helper()
	return archive.Extract(tb.Context(), bytes.NewReader(packed), int64(len(packed)), dir, limits)
}

// contents maps the names of files in a folder to "mode content", and other names to
// their mode.
func contents(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if !entry.Type().IsRegular() {
			found[filepath.ToSlash(name)] = info.Mode().String()
			return nil
		}
		content, err := os.ReadFile(path)
		found[filepath.ToSlash(name)] = fmt.Sprintf("%v %s", info.Mode(), content)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return found
}

func TestExtract_UnpacksFilesFoldersAndLinks(t *testing.T) {
	t.Parallel()
	const dir, file, program = "drwxr-xr-x", "-rw-r--r-- ", "-rwxr-xr-x "
	tests := map[string]struct {
		members []member
		want    map[string]string
	}{
		"empty archive": {want: map[string]string{}},
		"files and folders": {
			members: []member{{name: "a.js", content: "one"}, {name: "sub/"}, {name: "sub/b.js", content: "two"}, {name: "empty/"}},
			want:    map[string]string{"a.js": file + "one", "sub": dir, "sub/b.js": file + "two", "empty": dir},
		},
		"folders without entries": {
			members: []member{{name: "a/b/c", content: "x"}, {name: "a/"}},
			want:    map[string]string{"a": dir, "a/b": dir, "a/b/c": file + "x"},
		},
		"modes": {
			members: []member{
				{name: "plain", mode: 0o600},
				{name: "program", mode: 0o700},
				{name: "all", mode: 0o777 | fs.ModeSetuid | fs.ModeSticky},
				{name: "none", mode: 0o040},
				{name: "dir/", mode: fs.ModeDir | 0o500},
			},
			want: map[string]string{"plain": file, "program": program, "all": program, "none": file, "dir": dir},
		},
		"folders of version control": {
			members: []member{
				{name: ".git/config", content: "[remote]"},
				{name: "a/.GIT/HEAD"},
				{name: "a/b/.hg/hgrc"},
				{name: "vendor/x/.svn/"},
				{name: ".git", content: "gitdir: /x"},
				{name: "a/.git", content: "b", mode: fs.ModeSymlink | 0o777},
				{name: ".gitignore"},
				{name: "a/git"},
			},
			want: map[string]string{".gitignore": file, "a": dir, "a/git": file},
		},
		"links within the archive": {
			members: []member{
				{name: "node_modules/left", content: ".store/left@1/left", mode: fs.ModeSymlink | 0o777},
				{name: "node_modules/.store/left@1/left/index.js", content: "x"},
				{name: "node_modules/.store/left@1/right", content: "../../right", mode: fs.ModeSymlink | 0o777},
				{name: "node_modules/right", content: "./.store//right@1", mode: fs.ModeSymlink | 0o777},
				{name: "node_modules/.store/right@1/self", content: "../../..", mode: fs.ModeSymlink | 0o777},
				{name: "node_modules/.bin/tool", content: "../pruned/cli.js", mode: fs.ModeSymlink | 0o777},
			},
			want: map[string]string{
				"node_modules": dir, "node_modules/.store": dir, "node_modules/.store/left@1": dir, "node_modules/.store/left@1/left": dir,
				"node_modules/.store/left@1/left/index.js": file + "x", "node_modules/.store/right@1": dir, "node_modules/.bin": dir,
				"node_modules/left": "Lrwxrwxrwx", "node_modules/right": "Lrwxrwxrwx", "node_modules/.store/left@1/right": "Lrwxrwxrwx",
				"node_modules/.store/right@1/self": "Lrwxrwxrwx", "node_modules/.bin/tool": "Lrwxrwxrwx",
			},
		},
		"unusual but valid names": {
			members: []member{{name: "./a"}, {name: "b//c"}, {name: "..d"}, {name: "e..f/...g"}, {name: "héllo wörld"}, {name: "./"}},
			want: map[string]string{
				"a": file, "b": dir, "b/c": file, "..d": file, "e..f": dir, "e..f/...g": file, "héllo wörld": file,
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			if err := extract(t, pack(t, test.members...), out, archive.Limits{}); err != nil {
				t.Fatalf("Extract() = %v", err)
			}
			if got := contents(t, out); !maps.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestExtract_RefusesUnsafeEntries(t *testing.T) {
	t.Parallel()
	good := member{name: "good.js", content: "fine"}
	tests := map[string]struct {
		members []member
		entry   string
		problem string
	}{
		"a parent folder":             {members: []member{good, {name: "../evil"}}, entry: "../evil", problem: "a name with .."},
		"a parent folder below":       {members: []member{{name: "a/../../b"}}, entry: "a/../../b", problem: "a name with .."},
		"a detour":                    {members: []member{{name: "a/../b"}}, entry: "a/../b", problem: "a name with .."},
		"a parent folder's own entry": {members: []member{{name: "../"}}, entry: "../", problem: "a name with .."},
		"an absolute name":            {members: []member{{name: "/etc/passwd"}}, entry: "/etc/passwd", problem: "absolute name"},
		"a backslash":                 {members: []member{{name: `a\b`}}, entry: `a\b`, problem: "backslash"},
		"a drive":                     {members: []member{{name: "C:evil"}}, entry: "C:evil", problem: "drive letter"},
		"a NUL":                       {members: []member{{name: "a\x00b"}}, entry: "a\x00b", problem: "control character"},
		"a line break":                {members: []member{{name: "a\nb"}}, entry: "a\nb", problem: "control character"},
		"no UTF-8":                    {members: []member{{name: "a\xffb"}}, entry: "a\xffb", problem: "not UTF-8"},
		"no name":                     {members: []member{{name: "", content: "x"}}, problem: "has no name"},
		"a name of the folder itself": {members: []member{{name: ".", content: "x"}}, entry: ".", problem: "has no name"},
		"a bomb of links":             {members: linkBomb(60), entry: "l5", problem: "more than 40 others"},
		"a link to elsewhere":         {members: []member{good, link("link", "/etc")}, entry: "link", problem: "absolute target"},
		"a link to above":             {members: []member{good, link("a/link", "../../x")}, entry: "a/link", problem: "leads out of the archive"},
		"a link out by another one": {
			members: []member{link("a", "b/c"), {name: "b/c/d"}, link("e", "a/../../../x")}, entry: "e", problem: "leads out of the archive",
		},
		"a link through nothing":      {members: []member{link("link", "none/../../../etc")}, entry: "link", problem: "not in the archive"},
		"a link to itself":            {members: []member{link("link", "link")}, entry: "link", problem: "in a loop"},
		"links in a loop":             {members: []member{link("a", "b/x"), link("b", "a/x")}, entry: "a", problem: "in a loop"},
		"a link without a target":     {members: []member{link("link", "")}, entry: "link", problem: "without a target"},
		"a link with a long target":   {members: []member{link("link", strings.Repeat("x", 1025))}, entry: "link", problem: "longer than 1024"},
		"a file behind a link":        {members: []member{link("a", "b"), {name: "b/"}, {name: "a/x"}}, entry: "a/x", problem: "in a folder that is also a file"},
		"a file and a link":           {members: []member{link("a", "b"), {name: "a"}}, entry: "a", problem: "twice"},
		"folders in folders":          {members: []member{{name: strings.Repeat("a/", 97) + "x"}}, entry: strings.Repeat("a/", 97) + "x", problem: "nested in more than 96"},
		"a link that ends in a slash": {members: []member{{name: "link/", mode: fs.ModeSymlink | 0o777}}, entry: "link/", problem: "is a link"},
		"a device":                    {members: []member{{name: "null", mode: fs.ModeDevice | fs.ModeCharDevice | 0o666}}, entry: "null", problem: "neither a file nor a folder"},
		"a pipe":                      {members: []member{{name: "pipe", mode: fs.ModeNamedPipe | 0o666}}, entry: "pipe", problem: "neither a file nor a folder"},
		"a file twice":                {members: []member{good, good}, entry: "good.js", problem: "appears twice"},
		"a file twice, unclean name":  {members: []member{good, {name: "./good.js"}}, entry: "./good.js", problem: "appears twice"},
		"a folder twice":              {members: []member{{name: "a/"}, {name: "a/"}}, entry: "a/", problem: "appears twice"},
		"a file and then a folder":    {members: []member{{name: "a"}, {name: "a/"}}, entry: "a/", problem: "both a file and a folder"},
		"a folder and then a file":    {members: []member{{name: "a/"}, {name: "a"}}, entry: "a", problem: "both a file and a folder"},
		"a file below a file":         {members: []member{{name: "a"}, {name: "a/b/c"}}, entry: "a/b/c", problem: "in a folder that is also a file"},
		"a file above a file":         {members: []member{{name: "a/b/c"}, {name: "a"}}, entry: "a", problem: "both a file and a folder"},
		"encryption":                  {members: []member{{name: "secret", content: "x", flags: 1}}, entry: "secret", problem: "is encrypted"},
		"a long name":                 {members: []member{{name: strings.Repeat("long/", 300)}}, entry: strings.Repeat("long/", 300), problem: "longer than 1024 bytes"},
		"a long part of a name":       {members: []member{{name: strings.Repeat("x", 256)}}, entry: strings.Repeat("x", 256), problem: "longer than 255 bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, pack(t, test.members...), archive.Limits{}, test.entry, test.problem)
		})
	}
}

// wantRefused extracts an invalid archive, and checks the error, and that no file remains
// in the target folder or its parent.
func wantRefused(t *testing.T, packed []byte, limits archive.Limits, entry, problem string) {
	t.Helper()
	around := t.TempDir()
	dir := filepath.Join(around, "dir")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	err := extract(t, packed, dir, limits)
	var bad *archive.Error
	if !errors.As(err, &bad) {
		t.Fatalf("Extract() = %v, want an *Error", err)
	}
	if bad.Entry != entry || !strings.Contains(bad.Problem, problem) {
		t.Errorf("Extract() = %q for entry %q, want %q for %q", bad.Problem, bad.Entry, problem, entry)
	}
	if names := contents(t, around); len(names) != 1 {
		t.Errorf("got %v after a refused archive, want the empty folder only", slices.Sorted(maps.Keys(names)))
	}
}

func TestExtract_EnforcesLimits(t *testing.T) {
	t.Parallel()
	packed := pack(t, member{name: "a", content: strings.Repeat("a", 1000)}, member{name: "b", content: strings.Repeat("b", 1000)})
	tests := map[string]struct {
		limits         archive.Limits
		entry, problem string
	}{
		"packed":   {limits: archive.Limits{Packed: int64(len(packed)) - 1}, problem: "is larger than"},
		"unpacked": {limits: archive.Limits{Unpacked: 1999}, entry: "b", problem: "larger than 1999 bytes unpacked"},
		"entries":  {limits: archive.Limits{Entries: 1}, problem: "more than 1 entries"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, packed, test.limits, test.entry, test.problem)
		})
	}
	exact := archive.Limits{Packed: int64(len(packed)), Unpacked: 2000, Entries: 2, NameBytes: 1}
	if err := extract(t, packed, t.TempDir(), exact); err != nil {
		t.Errorf("Extract() = %v at the exact limits, want nil", err)
	}
}

func TestExtract_BoundsUnpackedBytesOfSmallArchive(t *testing.T) {
	t.Parallel()
	packed := pack(t, member{name: "zeros", content: strings.Repeat("\x00", 8<<20)})
	if len(packed) > 1<<16 {
		t.Fatalf("got a packed size of %d bytes, want at most %d", len(packed), 1<<16)
	}
	wantRefused(t, packed, archive.Limits{Unpacked: 4 << 20}, "zeros", "bytes unpacked")
}

// TestExtract_RefusesHeaderWithWrongSize lowers the unpacked size in the header.
func TestExtract_RefusesHeaderWithWrongSize(t *testing.T) {
	t.Parallel()
	packed := pack(t, member{name: "entry", content: strings.Repeat("x", 5000)})
	size := binary.LittleEndian.AppendUint32(nil, 5000)
	wrong := binary.LittleEndian.AppendUint32(nil, 10)
	if bytes.Count(packed, size) == 0 {
		t.Fatal("find the size in the archive: got no match")
	}
	wantRefused(t, bytes.ReplaceAll(packed, size, wrong), archive.Limits{}, "entry", "is damaged")
}

// counter counts the bytes requested from a reader.
type counter struct {
	io.ReaderAt
	read int
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	c.read += len(p)
	return c.ReaderAt.ReadAt(p, off)
}

// TestExtract_DoesNotListLongDirectory extracts an archive with far more entries than
// allowed, and checks that most of the central directory is not read.
func TestExtract_DoesNotListLongDirectory(t *testing.T) {
	t.Parallel()
	members := make([]member, 5000)
	for i := range members {
		members[i].name = fmt.Sprintf("file-%d-%s", i, strings.Repeat("x", 200))
	}
	packed := pack(t, members...)
	limits := archive.Limits{Entries: 20}
	wantRefused(t, packed, limits, "", "more than 20 entries")
	reader := &counter{ReaderAt: bytes.NewReader(packed)}
	if err := archive.Extract(t.Context(), reader, int64(len(packed)), t.TempDir(), limits); err == nil {
		t.Error("Extract() = nil, want an error")
	}
	if reader.read > len(packed)/4 {
		t.Errorf("Extract() read %d of %d bytes, want at most a quarter", reader.read, len(packed))
	}
}

func TestExtract_RefusesDamagedArchives(t *testing.T) {
	t.Parallel()
	packed := pack(t, member{name: "a.js", content: "console.log(1)"})
	tests := map[string]struct {
		packed         []byte
		entry, problem string
	}{
		"no zip":    {packed: []byte("#!/bin/sh\n"), problem: "is not a zip file"},
		"empty":     {packed: nil, problem: "is not a zip file"},
		"truncated": {packed: packed[:len(packed)-10], problem: "is not a zip file"},
		"damaged":   {packed: damage(packed, 40), entry: "a.js", problem: "is damaged"},
		"method 99": {packed: bytes.ReplaceAll(packed, []byte{8, 0, 0, 0}, []byte{99, 0, 0, 0}), entry: "a.js", problem: "compression method other than deflate"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, test.packed, archive.Limits{}, test.entry, test.problem)
		})
	}
}

func damage(packed []byte, at int) []byte {
	packed = bytes.Clone(packed)
	packed[at] ^= 0xff
	return packed
}

// brokenDisk fails to read its first 100 bytes.
type brokenDisk struct {
	io.ReaderAt
	err error
}

func (b brokenDisk) ReadAt(p []byte, off int64) (int, error) {
	if off < 100 {
		return 0, b.err
	}
	return b.ReaderAt.ReadAt(p, off)
}

func TestExtract_DistinguishesMachineErrorsFromArchiveErrors(t *testing.T) {
	t.Parallel()
	packed := pack(t, member{name: "a", content: strings.Repeat("x", 1000)}, member{name: "b"})
	var bad *archive.Error

	broken := errors.New("input/output error")
	disk := brokenDisk{ReaderAt: bytes.NewReader(packed), err: broken}
	err := archive.Extract(t.Context(), disk, int64(len(packed)), t.TempDir(), archive.Limits{})
	if !errors.Is(err, broken) || errors.As(err, &bad) {
		t.Errorf("Extract() = %v from a broken disk, want %v", err, broken)
	}

	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err = extract(t, packed, full, archive.Limits{})
	if err == nil || errors.As(err, &bad) {
		t.Errorf("Extract() = %v into a folder that is not empty, want an error other than *Error", err)
	}
	if names := contents(t, full); len(names) != 1 {
		t.Errorf("got %v in the folder that was not empty, want its one file", names)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = archive.Extract(ctx, bytes.NewReader(packed), int64(len(packed)), t.TempDir(), archive.Limits{})
	if !errors.Is(err, context.Canceled) || errors.As(err, &bad) {
		t.Errorf("Extract() = %v after cancel, want %v", err, context.Canceled)
	}
}

func TestError_ShortensLongNames(t *testing.T) {
	t.Parallel()
	err := &archive.Error{Entry: strings.Repeat("x", 50000), Problem: "is bad"}
	if got := err.Error(); len(got) > 300 || !strings.HasSuffix(got, `"...: is bad`) {
		t.Errorf("Error() = %q, want at most 300 bytes", got)
	}
}

// FuzzExtract checks that no file or link leads out of the folder, that the limits hold,
// and that nothing remains of a refused archive.
func FuzzExtract(f *testing.F) {
	f.Add(pack(f, member{name: "a/b.js", content: "x"}, member{name: "c/", mode: fs.ModeDir | 0o755}))
	f.Add(pack(f, member{name: "../a", content: "x"}))
	f.Add(pack(f, member{name: "link", content: "..", mode: fs.ModeSymlink}))
	f.Add(pack(f, link("a/b", "../c"), member{name: "c/d"}, link("e", "a/b/d")))
	f.Add(pack(f, member{name: "zeros", content: strings.Repeat("\x00", 9000)}))
	f.Add([]byte("PK\x05\x06"))
	limits := archive.Limits{Unpacked: 8000, Entries: 10}
	f.Fuzz(func(t *testing.T, packed []byte) {
		around := t.TempDir()
		dir := filepath.Join(around, "dir")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		err := extract(t, packed, dir, limits)
		entries, readErr := os.ReadDir(around)
		if readErr != nil || len(entries) != 1 {
			t.Fatalf("got %v, %v in the parent folder, want the folder only", entries, readErr)
		}
		found := contents(t, dir)
		for name := range found {
			leads, err := filepath.EvalSymlinks(filepath.Join(dir, name))
			if err == nil && !strings.HasPrefix(leads+"/", dir+"/") {
				t.Fatalf("got %q resolved to %q, want a path in the folder", name, leads)
			}
		}
		if err != nil && len(found) > 0 {
			t.Fatalf("Extract() = %v, and %v remains, want nothing", err, found)
		}
		total := 0
		for name, content := range found {
			if !strings.HasPrefix(content, "-rw-r--r-- ") && !strings.HasPrefix(content, "-rwxr-xr-x ") && content != "drwxr-xr-x" && content != "Lrwxrwxrwx" {
				t.Errorf("got %.20q for %q, want mode 0644 or 0755", content, name)
			}
			if _, data, isFile := strings.Cut(content, " "); isFile {
				total += len(data)
			}
		}
		if int64(total) > limits.Unpacked {
			t.Errorf("got %d unpacked bytes, want at most %d", total, limits.Unpacked)
		}
	})
}
