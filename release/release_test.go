package main

import "testing"

func TestRelease_RefusesMalformedVersions(t *testing.T) {
	for _, wrong := range []string{"", "dev", "1.2", "1.2.3+dirty", "v1.2.3/.."} {
		if err := (release{version: wrong, dir: t.TempDir(), out: t.Output()}).run(t.Context()); err == nil {
			t.Errorf("version %q: got no error", wrong)
		}
	}
}
