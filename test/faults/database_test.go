package faults_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServe_RefusesDamagedDatabase damages the database file while the server is stopped.
// The server does not start, prints what to do, and does not change the file.
func TestServe_RefusesDamagedDatabase(t *testing.T) {
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
			printed := refusesToStart(t, data)
			if !strings.Contains(printed, path) || !strings.Contains(printed, "jeton restore") || strings.Contains(printed, "goroutine") {
				t.Errorf("got output %q, want the file and jeton restore", printed)
			}
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(after, damaged) {
				t.Errorf("got a changed file (%v), want the damaged file unchanged", err)
			}
		})
	}
}

// TestServe_RefusesDataFolderInUse starts a second server with the data folder of the
// first, which keeps running.
func TestServe_RefusesDataFolderInUse(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "")
	n := p.namespace("one")
	const want = "another jeton serves from this data folder: stop it, or choose another folder with --data-dir"
	if printed := refusesToStart(t, data); !strings.Contains(printed, want) {
		t.Errorf("got output %q from the second server, want %q", printed, want)
	}
	kept, err := p.tokens(n.ID, 20)
	if err != nil {
		t.Errorf("got %v from the first server, want nil", err)
	}
	p.kill()
	p = start(t, data, "")
	p.wantTokens("after a crash", kept)
}
