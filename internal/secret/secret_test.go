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

func TestString_PrintsRedacted(t *testing.T) {
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
			t.Errorf("%s: got %s, want [redacted] instead of the value", name, text)
		}
	}
	if got := holder.Key.Reveal(); got != value {
		t.Errorf("Reveal: got %q, want %q", got, value)
	}
}

func TestSealer_OpensOnlyUnmodifiedValues(t *testing.T) {
	t.Parallel()
	sealer := newSealer(t, 1)
	sealed := sealer.Seal([]byte("value"), "purpose")
	if bytes.Contains(sealed, []byte("value")) {
		t.Error("the sealed bytes contain the value")
	}
	if again := sealer.Seal([]byte("value"), "purpose"); bytes.Equal(sealed, again) {
		t.Error("two calls of Seal return the same bytes, want different nonces")
	}
	opened, err := sealer.Open(sealed, "purpose")
	if err != nil || string(opened) != "value" {
		t.Errorf("Open: got %q, %v, want %q", opened, err, "value")
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another purpose": func() ([]byte, error) { return sealer.Open(sealed, "other") },
		"another key":     func() ([]byte, error) { return newSealer(t, 2).Open(sealed, "purpose") },
		"a flipped bit":   func() ([]byte, error) { return sealer.Open(flipped, "purpose") },
		"too short":       func() ([]byte, error) { return sealer.Open(sealed[:5], "purpose") },
		"empty":           func() ([]byte, error) { return sealer.Open(nil, "purpose") },
	} {
		if opened, err := open(); !errors.Is(err, secret.ErrSealed) {
			t.Errorf("%s: Open: got %q, %v, want ErrSealed", name, opened, err)
		}
	}
}

func TestNewSealer_RefusesKeyOfWrongSize(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 16, secret.KeySize - 1, secret.KeySize + 1} {
		if _, err := secret.NewSealer(make([]byte, size)); err == nil {
			t.Errorf("NewSealer with a key of %d bytes: got no error", size)
		}
	}
}

func newSealer(t *testing.T, fill byte) *secret.Sealer {
	t.Helper()
	sealer, err := secret.NewSealer(bytes.Repeat([]byte{fill}, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return sealer
}

func TestLoadKey_CreatesKeyOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	first, err := secret.LoadKey(path)
	if err != nil || len(first) != secret.KeySize {
		t.Fatalf("LoadKey: got %d bytes, %v, want %d", len(first), err, secret.KeySize)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode of the key file: got %o, want 600", got)
	}
	if again, err := secret.LoadKey(path); err != nil || !bytes.Equal(first, again) {
		t.Errorf("second LoadKey: got another key, %v, want the first", err)
	}
	if err := os.WriteFile(path, first[:7], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.LoadKey(path); err == nil || !strings.Contains(err.Error(), "7 bytes") {
		t.Errorf("LoadKey of a truncated file: got %v, want an error with its size", err)
	}
}
