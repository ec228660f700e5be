package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// finished returns a release of one platform whose files have no meaning, and its sums.
func finished(t *testing.T) release {
	t.Helper()
	r := release{version: "1.2.3-rc.1", dir: t.TempDir(), out: t.Output(), platforms: []platform{{"linux", "amd64"}}}
	for name, files := range r.expected() {
		for _, file := range files {
			if err := os.WriteFile(filepath.Join(r.dir, file), []byte("content of "+file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.writeSums(program{name: name}, files); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestCheck_ComparesFilesWithSums(t *testing.T) {
	const deb, sums = "jeton_1.2.3~rc.1_arm64.deb", "jeton_1.2.3-rc.1_SHA256SUMS"
	for name, test := range map[string]struct {
		damage func(dir string) error
		want   string
	}{
		"complete":        {func(string) error { return nil }, ""},
		"changed file":    {func(dir string) error { return os.WriteFile(filepath.Join(dir, deb), []byte("other"), 0o600) }, deb + ": the sums of packages have"},
		"missing file":    {func(dir string) error { return os.Remove(filepath.Join(dir, deb)) }, "no such file"},
		"missing sums":    {func(dir string) error { return os.Remove(filepath.Join(dir, sums)) }, "no such file"},
		"unexpected file": {func(dir string) error { return appendTo(filepath.Join(dir, sums), "00  other.zip\n") }, "list 2 files, want 1"},
	} {
		r := finished(t)
		if err := test.damage(r.dir); err != nil {
			t.Fatal(err)
		}
		err := r.checkSums()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got error %v, want %q in it", name, err, test.want)
		}
	}
}

func appendTo(path, text string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(content, text...), 0o600)
}

func TestCheck_RefusesProgramOfAnotherPlatform(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := checkPlatform(self, platform{"plan9", runtime.GOARCH}); err == nil || !strings.Contains(err.Error(), runtime.GOOS+"/"+runtime.GOARCH) {
		t.Errorf("got error %v, want the platform of the program in it", err)
	}
}
