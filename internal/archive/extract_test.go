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

// A member is an entry of an archive that a test makes.
type member struct {
	name, content string
	mode          fs.FileMode
	flags         uint16
}

func link(name, target string) member {
	return member{name: name, content: target, mode: fs.ModeSymlink | 0o777}
}

// bomb are links each of which leads through the one before, twice.
func bomb(n int) []member {
	members := []member{{name: "d/x/"}, link("l0", "d/x")}
	for i := 1; i <= n; i++ {
		members = append(members, link(fmt.Sprint("l", i), fmt.Sprintf("l%d/../../l%d", i-1, i-1)))
	}
	return members
}

// pack makes an archive of members, however odd their names are.
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

// contents returns what is below a folder: "mode content" by name.
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

func TestExtract(t *testing.T) {
	t.Parallel()
	const dir, file, program = "drwxr-xr-x", "-rw-r--r-- ", "-rwxr-xr-x "
	tests := map[string]struct {
		members []member
		want    map[string]string
	}{
		"nothing": {want: map[string]string{}},
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
		"names that only look odd": {
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
				t.Errorf("unpacked %v, want %v", got, test.want)
			}
		})
	}
}

func TestExtractRefuses(t *testing.T) {
	t.Parallel()
	good := member{name: "good.js", content: "fine"}
	tests := map[string]struct {
		members []member
		entry   string
		problem string
	}{
		"a way out":                   {members: []member{good, {name: "../evil"}}, entry: "../evil", problem: "leads out of the archive"},
		"a way out and back":          {members: []member{{name: "a/../../b"}}, entry: "a/../../b", problem: "leads out of the archive"},
		"a detour":                    {members: []member{{name: "a/../b"}}, entry: "a/../b", problem: "leads out of the archive"},
		"a way out as a folder":       {members: []member{{name: "../"}}, entry: "../", problem: "leads out of the archive"},
		"an absolute name":            {members: []member{{name: "/etc/passwd"}}, entry: "/etc/passwd", problem: "absolute name"},
		"a backslash":                 {members: []member{{name: `a\b`}}, entry: `a\b`, problem: "backslash"},
		"a drive":                     {members: []member{{name: "C:evil"}}, entry: "C:evil", problem: "drive letter"},
		"a NUL":                       {members: []member{{name: "a\x00b"}}, entry: "a\x00b", problem: "control character"},
		"a line break":                {members: []member{{name: "a\nb"}}, entry: "a\nb", problem: "control character"},
		"no UTF-8":                    {members: []member{{name: "a\xffb"}}, entry: "a\xffb", problem: "not UTF-8"},
		"no name":                     {members: []member{{name: "", content: "x"}}, problem: "has no name"},
		"a name of the folder itself": {members: []member{{name: ".", content: "x"}}, entry: ".", problem: "has no name"},
		"a bomb of links":             {members: bomb(60), entry: "l5", problem: "more than 40 others"},
		"a link to elsewhere":         {members: []member{good, link("link", "/etc")}, entry: "link", problem: "absolute target"},
		"a link to above":             {members: []member{good, link("a/link", "../../x")}, entry: "a/link", problem: "leads out of the archive"},
		"a link out by another one": {
			members: []member{link("a", "b/c"), {name: "b/c/d"}, link("e", "a/../../../x")}, entry: "e", problem: "leads out of the archive",
		},
		"a link through nothing":      {members: []member{link("link", "none/../../../etc")}, entry: "link", problem: "not in the archive"},
		"a link to itself":            {members: []member{link("link", "link")}, entry: "link", problem: "in a circle"},
		"links in a circle":           {members: []member{link("a", "b/x"), link("b", "a/x")}, entry: "a", problem: "in a circle"},
		"a link without a target":     {members: []member{link("link", "")}, entry: "link", problem: "without a target"},
		"a link with a long target":   {members: []member{link("link", strings.Repeat("x", 1025))}, entry: "link", problem: "longer than 1024"},
		"a file behind a link":        {members: []member{link("a", "b"), {name: "b/"}, {name: "a/x"}}, entry: "a/x", problem: "a file in one place"},
		"a file and a link":           {members: []member{link("a", "b"), {name: "a"}}, entry: "a", problem: "twice"},
		"folders in folders":          {members: []member{{name: strings.Repeat("a/", 97) + "x"}}, entry: strings.Repeat("a/", 97) + "x", problem: "nested in more than 96"},
		"a link that ends in a slash": {members: []member{{name: "link/", mode: fs.ModeSymlink | 0o777}}, entry: "link/", problem: "is a link"},
		"a device":                    {members: []member{{name: "null", mode: fs.ModeDevice | fs.ModeCharDevice | 0o666}}, entry: "null", problem: "neither a file nor a folder"},
		"a pipe":                      {members: []member{{name: "pipe", mode: fs.ModeNamedPipe | 0o666}}, entry: "pipe", problem: "neither a file nor a folder"},
		"a file twice":                {members: []member{good, good}, entry: "good.js", problem: "is there twice"},
		"a file twice in disguise":    {members: []member{good, {name: "./good.js"}}, entry: "./good.js", problem: "is there twice"},
		"a folder twice":              {members: []member{{name: "a/"}, {name: "a/"}}, entry: "a/", problem: "is there twice"},
		"a file and then a folder":    {members: []member{{name: "a"}, {name: "a/"}}, entry: "a/", problem: "a file in one place"},
		"a folder and then a file":    {members: []member{{name: "a/"}, {name: "a"}}, entry: "a", problem: "a file in one place"},
		"a file below a file":         {members: []member{{name: "a"}, {name: "a/b/c"}}, entry: "a/b/c", problem: "a file in one place"},
		"a file above a file":         {members: []member{{name: "a/b/c"}, {name: "a"}}, entry: "a", problem: "a file in one place"},
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

// wantRefused extracts an archive that is bad, and asks for the right error and
// for no trace of it, in the folder and beside it.
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
		t.Errorf("Extract() = %q of entry %q, want %q of %q", bad.Problem, bad.Entry, problem, entry)
	}
	if left := contents(t, around); len(left) != 1 {
		t.Errorf("a refused archive left %v behind", slices.Sorted(maps.Keys(left)))
	}
}

func TestExtractLimits(t *testing.T) {
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
		t.Errorf("Extract() at its limits = %v", err)
	}
}

// TestExtractBomb unpacks more than the limit out of next to nothing.
func TestExtractBomb(t *testing.T) {
	t.Parallel()
	packed := pack(t, member{name: "zeros", content: strings.Repeat("\x00", 8<<20)})
	if len(packed) > 1<<16 {
		t.Fatalf("the bomb has %d bytes", len(packed))
	}
	wantRefused(t, packed, archive.Limits{Unpacked: 4 << 20}, "zeros", "bytes unpacked")
}

// TestExtractLyingHeader has an entry whose header claims less than comes out.
func TestExtractLyingHeader(t *testing.T) {
	t.Parallel()
	packed := pack(t, member{name: "liar", content: strings.Repeat("x", 5000)})
	size := binary.LittleEndian.AppendUint32(nil, 5000)
	lie := binary.LittleEndian.AppendUint32(nil, 10)
	if bytes.Count(packed, size) == 0 {
		t.Fatal("the archive does not have the size to lie about")
	}
	wantRefused(t, bytes.ReplaceAll(packed, size, lie), archive.Limits{}, "liar", "is damaged")
}

// counter counts the bytes that are asked of a reader.
type counter struct {
	io.ReaderAt
	read int
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	c.read += len(p)
	return c.ReaderAt.ReadAt(p, off)
}

// TestExtractLongDirectory has far more entries than are allowed, and asks that
// most of them are not even listed.
func TestExtractLongDirectory(t *testing.T) {
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
		t.Errorf("Extract() read %d of %d bytes before it gave up", reader.read, len(packed))
	}
}

func TestExtractDamaged(t *testing.T) {
	t.Parallel()
	packed := pack(t, member{name: "a.js", content: "console.log(1)"})
	tests := map[string]struct {
		packed         []byte
		entry, problem string
	}{
		"no zip":      {packed: []byte("#!/bin/sh\n"), problem: "is not a zip file"},
		"empty":       {packed: nil, problem: "is not a zip file"},
		"cut off":     {packed: packed[:len(packed)-10], problem: "is not a zip file"},
		"damaged":     {packed: damage(packed, 40), entry: "a.js", problem: "is damaged"},
		"odd methods": {packed: bytes.ReplaceAll(packed, []byte{8, 0, 0, 0}, []byte{99, 0, 0, 0}), entry: "a.js", problem: "compressed in a way"},
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

// brokenDisk fails to read behind its first bytes.
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

func TestExtractTellsTheDiskFromTheArchive(t *testing.T) {
	t.Parallel()
	packed := pack(t, member{name: "a", content: strings.Repeat("x", 1000)}, member{name: "b"})
	var bad *archive.Error

	broken := errors.New("input/output error")
	disk := brokenDisk{ReaderAt: bytes.NewReader(packed), err: broken}
	err := archive.Extract(t.Context(), disk, int64(len(packed)), t.TempDir(), archive.Limits{})
	if !errors.Is(err, broken) || errors.As(err, &bad) {
		t.Errorf("Extract() from a broken disk = %v, want %v", err, broken)
	}

	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err = extract(t, packed, full, archive.Limits{})
	if err == nil || errors.As(err, &bad) {
		t.Errorf("Extract() into a folder that is not empty = %v, want an error of the machine", err)
	}
	if left := contents(t, full); len(left) != 1 {
		t.Errorf("the folder that was not empty has %v", left)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = archive.Extract(ctx, bytes.NewReader(packed), int64(len(packed)), t.TempDir(), archive.Limits{})
	if !errors.Is(err, context.Canceled) || errors.As(err, &bad) {
		t.Errorf("Extract() when cancelled = %v, want %v", err, context.Canceled)
	}
}

func TestErrorIsShort(t *testing.T) {
	t.Parallel()
	err := &archive.Error{Entry: strings.Repeat("x", 50000), Problem: "is bad"}
	if got := err.Error(); len(got) > 300 || !strings.HasSuffix(got, `"...: is bad`) {
		t.Errorf("Error() = %q, want it cut", got)
	}
}

// FuzzExtract asks that nothing ever leaves the folder, that the limits hold, and
// that a refused archive leaves nothing.
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
			t.Fatalf("beside the folder there is %v, %v", entries, readErr)
		}
		found := contents(t, dir)
		for name := range found {
			leads, err := filepath.EvalSymlinks(filepath.Join(dir, name))
			if err == nil && !strings.HasPrefix(leads+"/", dir+"/") {
				t.Fatalf("%q leads to %q", name, leads)
			}
		}
		if err != nil && len(found) > 0 {
			t.Fatalf("Extract() = %v left %v", err, found)
		}
		total := 0
		for name, content := range found {
			if !strings.HasPrefix(content, "-rw-r--r-- ") && !strings.HasPrefix(content, "-rwxr-xr-x ") && content != "drwxr-xr-x" && content != "Lrwxrwxrwx" {
				t.Errorf("unpacked %q as %.20q", name, content)
			}
			if _, data, isFile := strings.Cut(content, " "); isFile {
				total += len(data)
			}
		}
		if int64(total) > limits.Unpacked {
			t.Errorf("unpacked %d bytes, want at most %d", total, limits.Unpacked)
		}
	})
}
