package archive

import "fmt"

// An Error says that the archive itself is bad, and why: its author can read
// and mend it. Every other error of this package is the machine's.
type Error struct {
	// Entry is the name of the offending entry as it stands in the archive,
	// or empty where the archive as a whole is meant.
	Entry string
	// Problem is what is wrong with it, in words.
	Problem string
}

// Error returns the problem, after the entry's name in quotes where there is one.
func (e *Error) Error() string {
	if e.Entry == "" {
		return "archive: " + e.Problem
	}
	return fmt.Sprintf("archive: entry %s: %s", quoteShort(e.Entry), e.Problem)
}

// quoteShort quotes a name and cuts it, for names come from outside and may be
// tens of kilobytes long.
func quoteShort(name string) string {
	const most = 200
	if len(name) > most {
		return fmt.Sprintf("%q...", name[:most])
	}
	return fmt.Sprintf("%q", name)
}
