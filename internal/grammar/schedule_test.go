package grammar_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/grammar"
)

func TestParseSchedule_ReturnsNextTime(t *testing.T) {
	t.Parallel()
	// A Friday.
	from := time.Date(2026, 7, 3, 13, 3, 53, 0, time.UTC)
	for text, want := range map[string]string{
		"* * * * *":                "2026-07-03T13:04:00Z",
		"*/15 * * * *":             "2026-07-03T13:15:00Z",
		"0 0 * * 0":                "2026-07-05T00:00:00Z",
		"0 0 * * 7":                "2026-07-05T00:00:00Z",
		"0 0 * * SUN":              "2026-07-05T00:00:00Z",
		"0 0 * * 6-7":              "2026-07-04T00:00:00Z",
		"0 0 * * 7,1":              "2026-07-05T00:00:00Z",
		"0 0 * * 1,7":              "2026-07-05T00:00:00Z",
		"0 0 * * 1-7/3":            "2026-07-05T00:00:00Z", // Monday, Thursday, Sunday
		"0 0 * * 7-7":              "2026-07-05T00:00:00Z",
		"1 1 1 1 1":                "2027-01-01T01:01:00Z", // the 1st of January or any Monday in January, as documented
		"0 0 30 2 *":               "0001-01-01T00:00:00Z", // never
		"@hourly":                  "2026-07-03T14:00:00Z",
		"  0  12 *  JUL-SEP  MON ": "2026-07-06T12:00:00Z",
	} {
		schedule, err := grammar.ParseSchedule(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := schedule.Next(from).Format(time.RFC3339); got != want {
			t.Errorf("%q: next: got %s, want %s", text, got, want)
		}
	}
}

func TestParseSchedule_RefusesOtherForms(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "* * * *", "* * * * * *", "60 * * * *", "* * * * 8", "* * * * 1-8", "* * * * 1-7/x", "* * * * 1-7/0", "* * * * 9-7", "* * * * 7-1", "x", "TZ=", "CRON_TZ=UTC", "@every 1h", " @every 1h", strings.Repeat(" ", 200) + "@daily"} {
		if _, err := grammar.ParseSchedule(text); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
}

func FuzzParseSchedule(f *testing.F) {
	for _, seed := range []string{"* * * * *", "*/5 1-7/2 1,2 JAN-DEC 5-7", "@daily", "0 0 * * 7-7/7", "0 0 * * -7"} {
		f.Add(seed)
	}
	from := time.Date(2026, 7, 3, 13, 3, 53, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		schedule, err := grammar.ParseSchedule(text)
		if err != nil {
			return
		}
		if next := schedule.Next(from); !next.IsZero() && !next.After(from) {
			t.Errorf("%q: next: got %v, want a time after %v", text, next, from)
		}
	})
}
