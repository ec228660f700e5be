package main_test

import (
	"os"
	"testing"

	prose "github.com/jeton-dev/jeton/test/prose"
)

func rules(t testing.TB, list string) []prose.Rule {
	t.Helper()
	parsed, err := prose.ParseRules(list)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestCheck_FindsProseOnly(t *testing.T) {
	t.Parallel()
	list := rules(t, "\\bwalls?\\b( clock)?\tisolation layer\n\\b(there )?is none\\b\tdoes not exist\n")
	for _, c := range []struct {
		name, file, content string
		lines               []int
	}{
		{"comment", "a.go", "package a\n\n// The wall is high.\n", []int{3}},
		{"comment of several lines", "a.go", "package a\n\n// One line.\n// The key is\n// none, and a wall.\n", []int{5, 4}},
		{"comments apart", "a.go", "package a\n\n// The key is\nvar x = 1\n\n// none.\n", nil},
		{"string", "a.go", "package a\n\nvar x = \"a Wall\"\n", []int{3}},
		{"raw string", "a.go", "package a\n\nvar x = `a\nwall`\n", []int{4}},
		{"identifier", "a.go", "package a\n\nvar wall = 1\n", nil},
		{"standard term", "a.go", "package a\n\n// It reads the wall clock. There is none.\n", nil},
		{"allowed", "a.go", "package a\n\nvar x = \"a wall\" // prose:allow\n", nil},
		{"allowed by the line before", "a.md", "<!-- prose:allow -->\nA wall.\n", nil},
		{"broken Go", "a.go", "package a\n\n// A wall.\nvar x = \"unterminated\n", []int{3}},
		{"Markdown", "a.md", "# A wall\n\n`wall`\n\n```\nwall\n```\nThe wall\n", []int{1, 8}},
		{"Makefile", "Makefile", "wall: ## Build a wall.\n\techo wall\n", []int{1}},
		{"YAML", "a.yml", "wall: 1 # The wall.\nwalls: 2\n", []int{1}},
		{"Python", "a.py", "wall = 1  # The wall.\n", []int{1}},
		{"PHP", "a.php", "<?php\n/**\n * The wall.\n */\n$wall = 1; // A wall.\n", []int{3, 5}},
		{"SQL", "a.sql", "-- A wall.\nSELECT wall;\n", []int{1}},
		{"other file", "a.zip", "a wall", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found := prose.Check(list, c.file, c.content)
			var lines []int
			for _, f := range found {
				lines = append(lines, f.Line)
			}
			if len(lines) != len(c.lines) {
				t.Fatalf("got %v, want findings at lines %v", found, c.lines)
			}
			for i, line := range lines {
				if line != c.lines[i] {
					t.Errorf("finding %d: got line %d, want %d", i, line, c.lines[i])
				}
			}
		})
	}
}

func TestParseRules_RefusesBrokenLists(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"no tab\n", "(\tunclosed\n"} {
		if _, err := prose.ParseRules(list); err == nil {
			t.Errorf("list %q: got no error", list)
		}
	}
}

// The word list of the repository parses, and each rule finds something.
func TestWords_Parse(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("words.txt")
	if err != nil {
		t.Fatal(err)
	}
	list := rules(t, string(content))
	text := "// The wall of the house has a room. Nobody is there, whoever asks; it is told; it is none.\n"
	if got := prose.Check(list, "a.go", text); len(got) != 7 {
		t.Errorf("got %d findings, want 7: %v", len(got), got)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("a.go", "package a // wall\n")
	f.Add("a.md", "```\nwall")
	f.Add("Makefile", "a: # wall")
	list := rules(f, "\\bwall\\b\tlayer\n")
	f.Fuzz(func(t *testing.T, name, content string) {
		for _, found := range prose.Check(list, name, content) {
			if found.Line < 1 {
				t.Errorf("got line %d", found.Line)
			}
		}
	})
}
