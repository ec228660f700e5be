package secret_test

import (
	"bytes"
	"encoding/base64"
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

func TestLoadKeys_CreatesKeyOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	first, err := secret.LoadKeys(path)
	if err != nil || len(first) != 1 || len(first[0]) != secret.KeySize {
		t.Fatalf("LoadKeys: got %d keys, %v, want one of %d bytes", len(first), err, secret.KeySize)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode of the key file: got %o, want 600", got)
	}
	if again, err := secret.LoadKeys(path); err != nil || !bytes.Equal(first[0], again[0]) {
		t.Errorf("second LoadKeys: got another key, %v, want the first", err)
	}
	if err := os.WriteFile(path, first[0][:7], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.LoadKeys(path); err == nil || !strings.Contains(err.Error(), "want 32 bytes") {
		t.Errorf("LoadKeys of a truncated file: got %v, want an error with the size", err)
	}
}

func line(fill byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, secret.KeySize)) + "\n"
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	raw := strings.Repeat("k", secret.KeySize)
	many := ""
	for i := range byte(17) {
		many += line(i)
	}
	for name, test := range map[string]struct {
		content string
		first   byte // of the first key; 0 for an error
		count   int
	}{
		"raw bytes":          {raw, 'k', 1},
		"one line":           {line(1), 1, 1},
		"no newline":         {strings.TrimSpace(line(1)), 1, 1},
		"several":            {"# current\n" + line(2) + "\n  # before\r\n" + line(1), 2, 2},
		"empty":              {"", 0, 0},
		"comments only":      {"# nothing\n\n", 0, 0},
		"a key twice":        {line(1) + line(1), 0, 0},
		"a short key":        {base64.StdEncoding.EncodeToString([]byte("short")), 0, 0},
		"two raw keys":       {raw + raw, 0, 0},
		"raw and a newline":  {raw + "\n", 0, 0},
		"too many":           {many, 0, 0},
		"unpadded":           {strings.TrimRight(line(1), "=\n"), 0, 0},
		"text after the key": {strings.TrimSpace(line(1)) + " x\n", 0, 0},
	} {
		keys, err := secret.ParseKeys([]byte(test.content))
		if (err == nil) != (test.count > 0) || len(keys) != test.count || err == nil && keys[0][0] != test.first {
			t.Errorf("%s: got %d keys, %v", name, len(keys), err)
		}
		if err != nil && len(test.content) > 8 && strings.Contains(err.Error(), test.content[:8]) {
			t.Errorf("%s: the error contains a part of the file: %v", name, err)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	for _, content := range []string{"", line(1), line(1) + "#\n" + line(2), strings.Repeat("k", secret.KeySize)} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		keys, err := secret.ParseKeys(content)
		if err == nil {
			_, err = secret.NewSealer(keys...)
		} else {
			err = nil
		}
		if err != nil {
			t.Errorf("accepted keys cannot be used: %v", err)
		}
	})
}

func TestSealer_SealsWithFirstKeyAndOpensWithAny(t *testing.T) {
	t.Parallel()
	older, newer := bytes.Repeat([]byte{1}, secret.KeySize), bytes.Repeat([]byte{2}, secret.KeySize)
	sealer, err := secret.NewSealer(older)
	if err != nil {
		t.Fatal(err)
	}
	sealed := sealer.Seal([]byte("value"), "p")
	if err := sealer.Use(newer, older); err != nil {
		t.Fatal(err)
	}
	if plain, err := sealer.Open(sealed, "p"); err != nil || string(plain) != "value" {
		t.Errorf("Open with the older key: got %q, %v", plain, err)
	}
	fresh, changed, err := sealer.Reseal(sealed, "p")
	if err != nil || !changed {
		t.Fatalf("Reseal: got %v, %v, want a change", changed, err)
	}
	if _, changed, err := sealer.Reseal(fresh, "p"); err != nil || changed {
		t.Errorf("a second Reseal: got %v, %v, want no change", changed, err)
	}
	if _, _, err := sealer.Reseal(sealed, "other"); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("Reseal for another purpose: got %v, want ErrSealed", err)
	}
	if err := sealer.Use(newer); err != nil {
		t.Fatal(err)
	}
	if plain, err := sealer.Open(fresh, "p"); err != nil || string(plain) != "value" {
		t.Errorf("Open without the older key: got %q, %v", plain, err)
	}
	if _, err := sealer.Open(sealed, "p"); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("Open of a value of the removed key: got %v, want ErrSealed", err)
	}
	for _, keys := range [][][]byte{{}, {newer, newer[:5]}} {
		if sealer.Use(keys...) == nil {
			t.Errorf("Use of %d invalid keys succeeds", len(keys))
		}
	}
	if _, err := sealer.Open(fresh, "p"); err != nil {
		t.Errorf("after a refused Use: %v", err)
	}
}
