package secret_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/secret"
)

func TestStringNeverPrints(t *testing.T) {
	t.Parallel()
	const value = "d41d8cd9-value"
	holder := struct{ Key secret.String }{secret.New(value)}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("message", "key", holder.Key, "holder", holder)
	encoded, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", holder), "%+v": fmt.Sprintf("%+v", holder), "%#v": fmt.Sprintf("%#v", holder),
		"String": holder.Key.String(), "%s": fmt.Sprintf("%s", holder), "%q": fmt.Sprintf("%q", holder.Key),
		"error": fmt.Errorf("with %v", holder.Key).Error(), "json": string(encoded), "slog": logged.String(),
	} {
		if strings.Contains(text, value) || !strings.Contains(text, "redacted") {
			t.Errorf("%s shows %s", name, text)
		}
	}
	if got := holder.Key.Reveal(); got != value {
		t.Errorf("Reveal returns %q, want %q", got, value)
	}
}

func TestBox(t *testing.T) {
	t.Parallel()
	box := newBox(t, 1)
	sealed := box.Seal([]byte("value"), "purpose")
	if bytes.Contains(sealed, []byte("value")) {
		t.Error("the sealed bytes contain the value")
	}
	if again := box.Seal([]byte("value"), "purpose"); bytes.Equal(sealed, again) {
		t.Error("sealing twice gives the same bytes")
	}
	opened, err := box.Open(sealed, "purpose")
	if err != nil || string(opened) != "value" {
		t.Errorf("Open returns %q, %v", opened, err)
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another purpose": func() ([]byte, error) { return box.Open(sealed, "other") },
		"another key":     func() ([]byte, error) { return newBox(t, 2).Open(sealed, "purpose") },
		"a changed bit":   func() ([]byte, error) { return box.Open(flipped, "purpose") },
		"too short":       func() ([]byte, error) { return box.Open(sealed[:5], "purpose") },
		"empty":           func() ([]byte, error) { return box.Open(nil, "purpose") },
	} {
		if opened, err := open(); !errors.Is(err, secret.ErrSealed) {
			t.Errorf("%s: Open returns %q, %v, want ErrSealed", name, opened, err)
		}
	}
}

func newBox(t *testing.T, fill byte) *secret.Box {
	t.Helper()
	box, err := secret.NewBox(bytes.Repeat([]byte{fill}, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func TestLoadKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	first, err := secret.LoadKey(path)
	if err != nil || len(first) != secret.KeySize {
		t.Fatalf("LoadKey returns %d bytes, %v", len(first), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file has mode %v, %v", info.Mode(), err)
	}
	if again, err := secret.LoadKey(path); err != nil || !bytes.Equal(first, again) {
		t.Errorf("a second LoadKey returns another key, %v", err)
	}
	if err := os.WriteFile(path, first[:7], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.LoadKey(path); err == nil || !strings.Contains(err.Error(), "7 bytes") {
		t.Errorf("a key that was cut short: %v", err)
	}
}
