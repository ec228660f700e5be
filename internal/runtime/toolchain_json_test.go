package runtime_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

func TestToolchains_AreTheSameAfterEncoding(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "node")
	script := "#!/bin/sh\necho " + program + "\necho v24.1.0\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	found := runtime.FindToolchains(t.Context(), map[string]string{runtime.Node: program, runtime.Rust: "/nowhere/rustc"})
	text, err := found.Encode()
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := runtime.DecodeToolchains(text)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decoded.For(runtime.Node); err != nil || got.Path != program || got.Version != "24.1.0" {
		t.Errorf("For(Node) = %+v, %v", got, err)
	}
	_, want := found.For(runtime.Rust)
	if _, err := decoded.For(runtime.Rust); err == nil || err.Error() != want.Error() {
		t.Errorf("For(Rust) = %v, want %v", err, want)
	}
}

func FuzzDecodeToolchains(f *testing.F) {
	f.Add([]byte(`{"Node":{"path":"/usr/bin/node","version":"24.1.0"},"Rust":{"missing":"rustc was not found"}}`))
	f.Add([]byte(`{"Go":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		decoded, err := runtime.DecodeToolchains(text)
		if err != nil {
			return
		}
		encoded, err := decoded.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := runtime.DecodeToolchains(encoded); err != nil {
			t.Errorf("%q was decoded, but not after encoding: %v", text, err)
		}
	})
}
