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
	// maxHops is how many links one path may lead through, as in Linux.
	maxHops = 40
	// maxLinkSteps bounds the work of following all links of an archive, in names:
	// 64 for each of 65535 links.
	maxLinkSteps = 1 << 22
)

// readLinks reads where the links of an archive lead, and refuses those that lead
// out of it, in a circle, or through too many others.
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
	f := follower{links: links, seen: seen, steps: maxLinkSteps}
	for _, e := range entries {
		if !e.link {
			continue
		}
		if problem := f.follow(e.name); problem != "" {
			return &Error{Entry: e.file.Name, Problem: problem}
		}
	}
	return nil
}

func readLink(s *source, e *entry, limits Limits) (string, error) {
	in, err := e.file.Open()
	if err != nil {
		return "", s.blame(e.file.Name, err)
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, int64(limits.NameBytes)+1))
	if err != nil {
		return "", s.blame(e.file.Name, err)
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

// A follower resolves links as the kernel will, but within the archive.
type follower struct {
	links map[string]string
	seen  tree
	// steps is how many names may still be looked at.
	steps int
}

// follow returns what is wrong with where a link leads, or nothing. One that leads
// to nothing is no problem as long as nothing can make it lead out of the archive.
func (f *follower) follow(link string) string {
	var at []string
	left, hops := strings.Split(link, "/"), 0
	for len(left) > 0 {
		if f.steps -= 1 + len(at); f.steps < 0 {
			return "is one of too many links that lead through each other"
		}
		name := left[0]
		left = left[1:]
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
		target, isLink := f.links[whole]
		if isLink {
			if hops++; hops > maxHops {
				return fmt.Sprintf("is a link that leads in a circle, or through more than %d others", maxHops)
			}
			at = at[:len(at)-1]
			left = append(strings.Split(target, "/"), left...)
			if len(left) > maxLinkNames {
				return "is one of too many links that lead through each other"
			}
			continue
		}
		if kind := f.seen[whole]; kind != folder && kind != implied && slices.Contains(left, "..") {
			return "is a link that leads through a folder that is not in the archive"
		}
	}
	return ""
}

// maxLinkNames bounds the names of one path while it is followed, as PATH_MAX does.
const maxLinkNames = 4096

// versionControl are the folders and files of version control systems. The systems'
// programs, and tools that call them, run commands that these name.
var versionControl = []string{".git", ".hg", ".svn", ".bzr", ".jj", ".sl", ".pijul", ".fslckout", "_fossil_", "_darcs", "cvs", "rcs", "sccs", "_mtn"}

// isVersionControl tells whether an entry is one of these, or in one.
func isVersionControl(name string) bool {
	for element := range strings.SplitSeq(path.Clean(name), "/") {
		if slices.Contains(versionControl, strings.ToLower(element)) {
			return true
		}
	}
	return false
}
