package gateway

import (
	"strings"
	"testing"
	"time"
)

func FuzzParseOrigin(f *testing.F) {
	for _, text := range []string{
		"", "1 1000 http 192.0.2.1:1", "9223372036854775807 0 https [2001:db8::1]:443", "-1 0 http x", "1 -1 http x", "1 1 ftp x", "1 1 http",
		"1 99999999999999999 http x", " 1 1 http x", "1  1 http x",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseOrigin(text)
		if err != nil {
			return
		}
		if o.membership < 0 || o.wait < 0 || o.wait > maxWait {
			t.Errorf("%q: got %+v", text, o)
		}
		if again, err := parseOrigin(o.String()); err != nil || again != o {
			t.Errorf("%q: %+v is parsed again as %+v, %v", text, o, again, err)
		}
	})
}

func TestParseOrigin_RefusesOthers(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "x", "1", "1 2", "1 2 http", "x 2 http a", "1 x http a", "-1 2 http a", "1 2 gopher a", acquiredValue, misdirectedValue + "7"} {
		if o, err := parseOrigin(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, o)
		}
	}
	want := origin{membership: 7, wait: 1500 * time.Millisecond, remote: "192.0.2.1:5", overTLS: true}
	if got, err := parseOrigin(want.String()); err != nil || got != want || strings.Contains(want.String(), "\n") {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
