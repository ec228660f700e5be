package archive

import "fmt"

// An Error describes a problem of the archive itself, which its author can fix. All
// other errors of this package are about the machine.
type Error struct {
	// Entry is the unchanged name of the entry; empty for the archive as a whole.
	Entry string
	// Problem completes the sentence "the entry ..." or "the archive ...".
	Problem string
}

// Error returns the entry's name, quoted and shortened, and the problem.
func (e *Error) Error() string {
	if e.Entry == "" {
		return "archive: " + e.Problem
	}
	return fmt.Sprintf("archive: entry %s: %s", quoteShort(e.Entry), e.Problem)
}

// quoteShort quotes a name and shortens it: names are untrusted, and up to 64 KiB long.
func quoteShort(name string) string {
	const limit = 200
	if len(name) > limit {
		return fmt.Sprintf("%q...", name[:limit])
	}
	return fmt.Sprintf("%q", name)
}
