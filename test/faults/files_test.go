package faults_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamagedDatabase has the file of the database damaged in each of several ways
// while the server is down. It says so and what to do, and leaves the file as it is.
func TestDamagedDatabase(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(t.TempDir(), "whole")
	p := start(t, whole, "")
	n := p.namespace("damaged")
	if _, err := p.tokens(n.ID, 300); err != nil {
		t.Fatal(err)
	}
	p.stop()
	content, err := os.ReadFile(filepath.Join(whole, "jeton.db"))
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	for what, damage := range map[string]func([]byte) []byte{
		"another file":       func([]byte) []byte { return bytes.Repeat([]byte("something else. "), 1024) },
		"no header":          func(b []byte) []byte { return append(make([]byte, 100), b[100:]...) },
		"half of it":         func(b []byte) []byte { return b[:len(b)/2/page*page] },
		"every page but two": func(b []byte) []byte { return append(b[:2*page:2*page], make([]byte, len(b)-2*page)...) },
		"pages of something": func(b []byte) []byte { return append(b[:page:page], bytes.Repeat([]byte{0x5a}, len(b)-page)...) },
		"objects are broken": func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`"Digest":"`), []byte(`"Digest":{`)) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(data, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			damaged := damage(bytes.Clone(content))
			path := filepath.Join(data, "jeton.db")
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			said := refuses(t, data)
			if !strings.Contains(said, path) || !strings.Contains(said, "jeton restore") || strings.Contains(said, "goroutine") {
				t.Errorf("jeton says %q", said)
			}
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(after, damaged) {
				t.Errorf("the damaged file has changed (%v)", err)
			}
		})
	}
}

// TestTwoServers has a second server want the folder of the first, which goes on.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "")
	n := p.namespace("one")
	if said := refuses(t, data); !strings.Contains(said, "another jeton serves from this data folder: stop it, or choose another folder with --data-dir") {
		t.Errorf("the second server says %q", said)
	}
	kept, err := p.tokens(n.ID, 20)
	if err != nil {
		t.Errorf("the first server: %v", err)
	}
	p.kill()
	p = start(t, data, "")
	p.wantTokens("after a crash", kept)
}
