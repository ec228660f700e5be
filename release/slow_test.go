//go:build slow

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

const version = "9.8.7"

// small returns a release for this machine's platform only.
func small(t *testing.T) release {
	t.Helper()
	return release{version: version, dir: t.TempDir(), out: t.Output(), platforms: []platform{{runtime.GOOS, runtime.GOARCH}}}
}

// Two runs with different folders and environments produce the same bytes.
func TestSlowRelease_IsReproducible(t *testing.T) {
	t.Chdir("..")
	first := small(t)
	if err := first.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := small(t)
	t.Setenv("GOFLAGS", "-buildvcs=true")
	t.Setenv("TZ", "Asia/Tokyo")
	if err := second.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		name := p.name + "_" + version + "_SHA256SUMS"
		a, b := read(t, first.dir, name), read(t, second.dir, name)
		if a == "" || a != b {
			t.Errorf("%s differs:\n%s%s", name, a, b)
		}
	}
}

// The release can be installed from a folder, as docs/install.md describes.
func TestSlowRelease_InstallsFromMirror(t *testing.T) {
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		if terraform, err = exec.LookPath("tofu"); err != nil {
			t.Fatal("this test needs terraform or tofu in the PATH")
		}
	}
	t.Chdir("..")
	r := small(t)
	dir := t.TempDir()
	r.dir = filepath.Join(dir, "mirror", "example.com", "jeton-dev", "scaleway")
	if err := r.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "terraform.rc", "provider_installation {\n  filesystem_mirror { path = \""+filepath.Join(dir, "mirror")+"\" }\n}\n")
	write(t, dir, "main.tf", "terraform {\n  required_providers {\n    scaleway = {\n"+
		"      source = \"example.com/jeton-dev/scaleway\"\n      version = \""+version+"\"\n    }\n  }\n}\n")
	for _, arguments := range [][]string{{"init", "-input=false"}, {"providers", "schema", "-json"}} {
		command := exec.CommandContext(t.Context(), terraform, arguments...)
		command.Dir = dir
		command.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(dir, "terraform.rc"), "CHECKPOINT_DISABLE=1")
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%.2000s", arguments, err, output)
		}
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
