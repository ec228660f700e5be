package main

import (
	"os"
	"path/filepath"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/test/jetontest"
)

func TestExport_WritesAllProjects(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	if _, err := jeton.Admin.CreateProject(t.Context(), "second"); err != nil {
		t.Fatal(err)
	}
	for _, project := range []string{"", "second"} {
		api := function.NewAPI(jeton.ClientOf(jeton.Key(project, "FunctionsFullAccess")))
		if _, err := api.CreateNamespace(&function.CreateNamespaceRequest{Name: "shop"}); err != nil {
			t.Fatal(err)
		}
	}
	before, err := jeton.Admin.Keys(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "export.tar.gz")
	status, output := command(t, "", "export", path)
	wantOutput(t, "export", status, 0, output, path+": 2 namespaces, 0 functions (0 with code), 0 tokens")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
		t.Errorf("got %v, %v, want a file of mode 0600", info, err)
	}
	if after, err := jeton.Admin.Keys(t.Context(), ""); err != nil || len(after) != len(before) {
		t.Errorf("got %d API keys, %v, want the %d before the export", len(after), err, len(before))
	}
	for name, test := range map[string]commandCase{
		"an existing file": {"export " + path, 1, "file exists"},
		"no server":        {"export x.tar.gz --data-dir /nonexistent", 1, "start 'jeton serve' first"},
		"no file":          {"export", 2, "expected"},
	} {
		test.check(t, name)
	}
}
