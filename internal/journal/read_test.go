package journal_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/jeton-dev/jeton/internal/journal"
)

var errStop = errors.New("stop")

func TestRead_StopsAfterCallbackError(t *testing.T) {
	t.Parallel()
	const written, kept = 8, 3
	for last := range written {
		j, path := open(t, journal.Bounds{Size: 2 * lineLength, Kept: kept})
		write(t, j, 0, written)
		var got []string
		err := journal.Read(path, kept, func(line []byte) error {
			got = append(got, string(line))
			if len(got) > last {
				return errStop
			}
			return nil
		})
		if !errors.Is(err, errStop) || !slices.Equal(got, texts(0, last+1)) {
			t.Errorf("stopped after %d lines: got %v, %v", last+1, got, err)
		}
	}
}

// TestFollow_SkipsNoExistingLine rotates the journal while the callback runs.
func TestFollow_SkipsNoExistingLine(t *testing.T) {
	t.Parallel()
	const kept = 3
	tests := map[string]struct {
		// while is the line during whose callback the lines up to, but not including,
		// to are appended.
		while, to int
		want      []string
	}{
		"none":                     {while: 1, to: 2, want: texts(0, 2)},
		"one":                      {while: 1, to: 4, want: texts(0, 4)},
		"two":                      {while: 1, to: 6, want: texts(0, 6)},
		"in the middle of a file":  {while: 0, to: 7, want: texts(0, 7)},
		"as many as are kept":      {while: 1, to: 8, want: texts(0, 8)},
		"the read file is removed": {while: 1, to: 10, want: texts(0, 10)},
		"two unread files too":     {while: 1, to: 14, want: slices.Concat(texts(0, 2), texts(6, 14))},
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
						return errStop
					}
					return nil
				})
				if !errors.Is(err, errStop) || !slices.Equal(got, test.want) {
					t.Errorf("got %v, %v, want %v", got, err, test.want)
				}
			})
		})
	}
}
