package runtime_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

func TestAll_ReturnsTheCatalogue(t *testing.T) {
	t.Parallel()
	all := runtime.All()
	if len(all) != 41 {
		t.Fatalf("got %d runtimes, want the 41 of Scaleway's response", len(all))
	}
	if first, last := all[0].Name, all[40].Name; first != "node26" || last != "rust165" {
		t.Errorf("got runtimes from %s to %s, want node26 to rust165", first, last)
	}
	seen := map[string]bool{}
	for _, r := range all {
		if seen[r.Name] {
			t.Errorf("got runtime %s twice", r.Name)
		}
		seen[r.Name] = true
		if (r.Status == runtime.Available) != (r.StatusMessage == "") {
			t.Errorf("%s: got status %s with message %q", r.Name, r.Status, r.StatusMessage)
		}
		if _, err := runtime.ParseHandler(r.Language, r.DefaultHandler); err != nil {
			t.Errorf("%s: parse default handler: %v", r.Name, err)
		}
		hasSample := r.Language == runtime.Node || r.Language == runtime.Python || r.Language == runtime.PHP
		if hasSample != (r.CodeSample != "") {
			t.Errorf("%s: got code sample %q", r.Name, r.CodeSample)
		}
	}
	all[0].Name = "changed"
	if runtime.All()[0].Name != "node26" {
		t.Error("the result of All shares memory with the catalogue")
	}
}

func TestLookup_FindsByExactName(t *testing.T) {
	t.Parallel()
	want := runtime.Runtime{
		Name: "go118", Language: runtime.Go, Version: "1.18", DefaultHandler: "Handle", Status: runtime.EndOfLife,
		StatusMessage: "Runtime has reached its end of life. To update your function, please recreate it with a newer runtime",
		Extension:     "go",
	}
	if got, ok := runtime.Lookup("go118"); !ok || got != want {
		t.Errorf("Lookup(go118) = %+v, %v, want %+v", got, ok, want)
	}
	for _, name := range []string{"", "go", "GO118", "unknown_runtime"} {
		if got, ok := runtime.Lookup(name); ok {
			t.Errorf("Lookup(%q) = %+v, want none", name, got)
		}
	}
}
