package table

import (
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// A Scan has the patterns of a filter that are compared with every document.
type Scan struct {
	// ID is the ID or scope to find; empty for none.
	ID string
	// Document is a pattern of LIKE for the whole document, which excludes most rows
	// without decoding them, and Description one for the description. Both have the
	// escape character !.
	Document, Description string
	// After and Before are the bounds of the time of expiry in the form of JSON; empty
	// for none.
	After, Before string
}

// ScanOf returns the scan of a filter.
func ScanOf(f functions.Filter) Scan {
	var s Scan
	switch {
	case functions.ValidID(f.Search):
		s.ID = f.Search
	case f.Search != "":
		encoded, err := Document(f.Search)
		if err != nil {
			encoded = `""` // A text can always be encoded.
		}
		s.Document, s.Description = pattern(encoded[1:len(encoded)-1]), pattern(f.Search)
	}
	if !f.ExpiresBefore.IsZero() {
		s.After, s.Before = f.ExpiresAfter.UTC().Format(time.RFC3339), f.ExpiresBefore.UTC().Format(time.RFC3339)
	}
	return s
}

// pattern returns the pattern of LIKE for texts that contain a text.
func pattern(text string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text) + "%"
}
