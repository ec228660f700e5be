package archive

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxHops bounds the links that one path may follow, as in Linux.
	maxHops = 40
	// maxLinkSteps bounds the path names visited to follow all links of an archive: 64
	// for each of 65535 links.
	maxLinkSteps = 1 << 22
	// maxLinkNames bounds the names of one path while it is followed, as PATH_MAX does.
	maxLinkNames = 4096
)

// readLinks reads the targets of the links of an archive, and refuses links that lead out
// of the archive, form a loop, or follow too many others.
func readLinks(s *source, entries []entry, seen tree, limits Limits) error {
	links := map[string]string{}
	for i := range entries {
		e := &entries[i]
		if !e.link {
			continue
		}
		target, err := readLink(s, e, limits)
		if err != nil {
			return err
		}
		e.target, links[e.name] = target, target
	}
	r := resolver{links: links, seen: seen, steps: maxLinkSteps}
	for _, e := range entries {
		if !e.link {
			continue
		}
		if problem := r.resolve(e.name); problem != "" {
			return &Error{Entry: e.file.Name, Problem: problem}
		}
	}
	return nil
}

func readLink(s *source, e *entry, limits Limits) (string, error) {
	in, err := e.file.Open()
	if err != nil {
		return "", s.classify(e.file.Name, err)
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, int64(limits.NameBytes)+1))
	if err != nil {
		return "", s.classify(e.file.Name, err)
	}
	target := string(text)
	problem := ""
	switch {
	case target == "":
		problem = "is a link without a target"
	case len(target) > limits.NameBytes:
		problem = fmt.Sprintf("is a link whose target is longer than %d bytes", limits.NameBytes)
	case !utf8.ValidString(target) || strings.ContainsFunc(target, unicode.IsControl):
		problem = "is a link whose target has a control character or is not UTF-8"
	case strings.HasPrefix(target, "/"):
		problem = "is a link with an absolute target: make it relative, or put the file itself into the archive"
	}
	if problem != "" {
		return "", &Error{Entry: e.file.Name, Problem: problem}
	}
	return target, nil
}

// A resolver resolves links as the kernel does, but within the archive.
type resolver struct {
	links map[string]string
	seen  tree
	// steps is the number of names that it may still visit.
	steps int
}

// resolve returns the problem of a link's target, or "". A link to a missing file is
// valid unless a file that appears later can make it lead out of the archive.
func (r *resolver) resolve(link string) string {
	var at []string
	rest, hops := strings.Split(link, "/"), 0
	for len(rest) > 0 {
		if r.steps -= 1 + len(at); r.steps < 0 {
			return "is one of too many links that lead through each other"
		}
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			if len(at) == 0 {
				return "is a link that leads out of the archive"
			}
			at = at[:len(at)-1]
			continue
		}
		at = append(at, name)
		whole := strings.Join(at, "/")
		target, isLink := r.links[whole]
		if isLink {
			if hops++; hops > maxHops {
				return fmt.Sprintf("is a link in a loop, or leads through more than %d others", maxHops)
			}
			at = at[:len(at)-1]
			rest = append(strings.Split(target, "/"), rest...)
			if len(rest) > maxLinkNames {
				return "is one of too many links that lead through each other"
			}
			continue
		}
		if kind := r.seen[whole]; kind != folder && kind != implied && slices.Contains(rest, "..") {
			return "is a link that leads through a folder that is not in the archive"
		}
	}
	return ""
}

// versionControl are the names of files and folders of version control systems. They can
// contain commands, which the systems' programs and tools that call them run.
var versionControl = []string{".git", ".hg", ".svn", ".bzr", ".jj", ".sl", ".pijul", ".fslckout", "_fossil_", "_darcs", "cvs", "rcs", "sccs", "_mtn"}

// isVersionControl reports whether a path contains one of these names.
func isVersionControl(name string) bool {
	for element := range strings.SplitSeq(path.Clean(name), "/") {
		if slices.Contains(versionControl, strings.ToLower(element)) {
			return true
		}
	}
	return false
}
