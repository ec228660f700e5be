package archive

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// encrypted is the bit of an entry's flags for encrypted content (APPNOTE 4.4.4 of the
// ZIP specification).
const encrypted = 1

// An entry is a file, folder or link of an archive with a checked name.
type entry struct {
	file *zip.File
	// name is clean, relative and separated by slashes.
	name string
	dir  bool
	mode fs.FileMode
	// link is true for a symbolic link, and target is its target.
	link   bool
	target string
}

// plan checks all entries before the first is written, so that most invalid archives do
// not reach the disk. It leaves out entries of version control systems.
func plan(s *source, files []*zip.File, limits Limits) ([]entry, error) {
	if len(files) > limits.Entries {
		return nil, &Error{Problem: fmt.Sprintf("has more than %d entries", limits.Entries)}
	}
	entries := make([]entry, 0, len(files))
	seen := make(tree, len(files))
	for _, file := range files {
		e, problem := check(file, limits)
		if problem == "" && e.name != "." && !isVersionControl(e.name) {
			problem = seen.add(e)
			entries = append(entries, e)
		}
		if problem != "" {
			return nil, &Error{Entry: file.Name, Problem: problem}
		}
	}
	return entries, readLinks(s, entries, seen, limits)
}

func check(file *zip.File, limits Limits) (entry, string) {
	if problem := checkName(file.Name, limits); problem != "" {
		return entry{}, problem
	}
	mode := file.Mode()
	e := entry{file: file, name: path.Clean(file.Name), dir: mode.IsDir(), mode: 0o644}
	if e.dir || mode.Perm()&0o111 != 0 {
		e.mode = 0o755
	}
	switch {
	case file.Flags&encrypted != 0:
		return entry{}, "is encrypted"
	case mode&fs.ModeSymlink != 0 && e.dir:
		return entry{}, "is a link whose name ends in a slash"
	case mode&fs.ModeSymlink != 0:
		e.link = true
	case mode.Type()&^fs.ModeDir != 0:
		return entry{}, "is neither a file nor a folder"
	case e.name == "." && !e.dir:
		return entry{}, "has no name"
	}
	return e, ""
}

// checkName returns the problem of a name, or "".
func checkName(name string, limits Limits) string {
	switch {
	case name == "":
		return "has no name"
	case len(name) > limits.NameBytes:
		return fmt.Sprintf("has a name longer than %d bytes", limits.NameBytes)
	case !utf8.ValidString(name):
		return "has a name that is not UTF-8"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "has a control character in its name"
	case strings.Contains(name, `\`):
		return "has a backslash in its name: separate folders with /"
	case strings.HasPrefix(name, "/"):
		return "has an absolute name"
	case len(name) >= 2 && name[1] == ':':
		return "has a drive letter in its name"
	}
	if strings.Count(path.Clean(name), "/") >= maxDepth {
		return fmt.Sprintf("is nested in more than %d folders", maxDepth)
	}
	for element := range strings.SplitSeq(name, "/") {
		if element == ".." {
			return "has a name with .., which may lead out of the archive"
		}
		if len(element) > maxElementBytes {
			return fmt.Sprintf("has a file or folder name longer than %d bytes", maxElementBytes)
		}
	}
	return ""
}

// A tree maps the names of an archive to their kinds.
type tree map[string]kind

type kind int

const (
	file kind = iota + 1
	folder
	// implied is a folder without an entry of its own so far, which contains another
	// entry.
	implied
)

// add adds an entry, or returns its conflict with an earlier one.
func (t tree) add(e entry) string {
	switch have := t[e.name]; {
	case have == file && e.dir, have == folder && !e.dir, have == implied && !e.dir:
		return "is both a file and a folder in the archive"
	case have == file, have == folder:
		return "appears twice in the archive"
	}
	t[e.name] = file
	if e.dir {
		t[e.name] = folder
	}
	for dir := path.Dir(e.name); dir != "."; dir = path.Dir(dir) {
		switch t[dir] {
		case file:
			return "is in a folder that is also a file of the archive"
		case folder, implied:
			return ""
		}
		t[dir] = implied
	}
	return ""
}
