package journal_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/jeton-dev/jeton/internal/journal"
)

var errEnough = errors.New("enough")

// Who has had enough is told of nothing more, in whichever file it is.
func TestReadUntilEnough(t *testing.T) {
	t.Parallel()
	const written, kept = 8, 3
	for enough := range written {
		j, path := open(t, journal.Bounds{Size: 2 * lineLength, Kept: kept})
		write(t, j, 0, written)
		var got []string
		err := journal.Read(path, kept, func(line []byte) error {
			got = append(got, string(line))
			if len(got) > enough {
				return errEnough
			}
			return nil
		})
		if !errors.Is(err, errEnough) || !slices.Equal(got, texts(0, enough+1)) {
			t.Errorf("of %d lines those told of are %v, %v", enough+1, got, err)
		}
	}
}

// However many files are begun while one is slow, nothing is jumped over of what is
// still there.
func TestFollowManyFiles(t *testing.T) {
	t.Parallel()
	const kept = 3
	tests := map[string]struct {
		// while is the line in whose report the next ones are appended, up to but
		// not including to.
		while, to int
		want      []string
	}{
		"none":                    {while: 1, to: 2, want: texts(0, 2)},
		"one":                     {while: 1, to: 4, want: texts(0, 4)},
		"two":                     {while: 1, to: 6, want: texts(0, 6)},
		"in the middle of a file": {while: 0, to: 7, want: texts(0, 7)},
		"as many as are kept":     {while: 1, to: 8, want: texts(0, 8)},
		"the one read is gone":    {while: 1, to: 10, want: texts(0, 10)},
		"two that were not, too":  {while: 1, to: 14, want: slices.Concat(texts(0, 2), texts(6, 14))},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				j, path := open(t, journal.Bounds{Size: 2 * lineLength, Kept: kept})
				write(t, j, 0, 2)
				var got []string
				err := journal.Follow(t.Context(), path, kept, func(text []byte) error {
					got = append(got, string(text))
					if string(text) == string(line(test.while)) {
						write(t, j, 2, test.to)
					}
					if string(text) == string(line(test.to-1)) {
						return errEnough
					}
					return nil
				})
				if !errors.Is(err, errEnough) || !slices.Equal(got, test.want) {
					t.Errorf("followed %v, %v, want %v", got, err, test.want)
				}
			})
		})
	}
}
