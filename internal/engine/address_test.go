package engine_test

import (
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/engine"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ network, endpoint string }{
		"unix:/run/i1.sock": {"unix", "/run/i1.sock"},
		"unix:/run/a:b":     {"unix", "/run/a:b"},
		"unix:/" + strings.Repeat("x", engine.MaxSocketPath-1): {"unix", "/" + strings.Repeat("x", engine.MaxSocketPath-1)},
		"tcp:10.0.0.7:8080":          {"tcp", "10.0.0.7:8080"},
		"tcp:127.0.0.1:1":            {"tcp", "127.0.0.1:1"},
		"tcp:[fd00::7]:8080":         {"tcp", "[fd00::7]:8080"},
		"tcp:[FD00:0::7]:8080":       {"tcp", "[fd00::7]:8080"},
		"tcp:[::ffff:10.0.0.7]:8080": {"tcp", "10.0.0.7:8080"},
		"instance:i-1A":              {"instance", "i-1A"},
	} {
		got, err := engine.ParseAddress(text)
		if err != nil || got.Network() != want.network || got.Endpoint() != want.endpoint || got.String() != want.network+":"+want.endpoint {
			t.Errorf("ParseAddress(%q) = %q, %v, want network %q and endpoint %q", text, got, err, want.network, want.endpoint)
		}
	}
}

func TestParseAddress_RefusesInvalidTexts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "/run/i1.sock", "udp:10.0.0.7:53", "UNIX:/run/i1.sock",
		"unix:", "unix:/", "unix:run/i1.sock", "unix:@abstract", "unix:/run/../etc", "unix:/run//x", "unix:/run/", "unix:/run/\x00",
		"unix:/" + strings.Repeat("x", engine.MaxSocketPath),
		"tcp:", "tcp:10.0.0.7", "tcp::8080", "tcp:localhost:8080", "tcp:10.0.0.7:0", "tcp:10.0.0.7:65536", "tcp:10.0.0.7:http",
		"tcp:0.0.0.0:80", "tcp:[::]:80", "tcp:224.0.0.1:80", "tcp:[ff02::1]:80", "tcp:[fe80::1%eth0]:80", "tcp:fd00::7:80", "instance:", "instance:a/b", "instance:a.b", "instance:" + strings.Repeat("x", 64), "tcp:010.0.0.7:80",
	} {
		if got, err := engine.ParseAddress(text); err == nil {
			t.Errorf("ParseAddress(%q) = %q, want an error", text, got)
		} else if len(err.Error()) > 400 {
			t.Errorf("ParseAddress(%.20q) returns an error of %d bytes, want at most 400", text, len(err.Error()))
		}
	}
}

func TestAddress_ZeroValueIsNoAddress(t *testing.T) {
	t.Parallel()
	var a engine.Address
	if !a.IsZero() || a.Network() != "" || a.Endpoint() != "" || a.String() != "" {
		t.Errorf("zero address is %q of network %q, want empty texts", a, a.Network())
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, text := range []string{"unix:/run/i1.sock", "tcp:10.0.0.7:8080", "tcp:[fd00::7]:8080", "tcp:[::ffff:1.2.3.4]:1", "unix:/../x", "tcp:[fe80::1%a]:1", "instance:i1", "instance:a:b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := engine.ParseAddress(text)
		if err != nil {
			if !a.IsZero() {
				t.Errorf("ParseAddress(%q) = %q and an error, want the zero address", text, a)
			}
			return
		}
		again, err := engine.ParseAddress(a.String())
		if err != nil || again != a || a.Network()+":"+a.Endpoint() != a.String() {
			t.Errorf("ParseAddress(%q) = %q, parsed again %q, %v", text, a, again, err)
		}
	})
}
