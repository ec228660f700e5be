package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed words.txt
var words string

// allowed marks a line that may hold a forbidden word.
const allowed = "prose:allow"

func main() {
	found, err := run(context.Background(), os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "prose:", err)
		os.Exit(2)
	case found > 0:
		fmt.Fprintf(os.Stderr, "prose: %d forbidden words: rewrite the sentences, see CONTRIBUTING.md\n", found)
		os.Exit(1)
	}
}

// run checks all files that git tracks below the working folder and returns the
// number of findings.
func run(ctx context.Context, out io.Writer) (int, error) {
	rules, err := ParseRules(words)
	if err != nil {
		return 0, err
	}
	list, err := exec.CommandContext(ctx, "git", "ls-files", "-z").Output()
	if err != nil {
		return 0, fmt.Errorf("list files: %w", err)
	}
	found := 0
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		if skipped(name) {
			continue
		}
		content, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // Deleted in the working folder.
		}
		if err != nil {
			return 0, err
		}
		for _, f := range Check(rules, filepath.Base(name), string(content)) {
			found++
			fmt.Fprintf(out, "%s:%d: %q: write %s\n", name, f.Line, f.Text, f.Instead)
		}
	}
	return found, nil
}

// skipped reports whether a file is data, generated, or written by others.
func skipped(name string) bool {
	switch {
	case strings.Contains(name, "testdata/"), strings.HasPrefix(name, "docs/provider/"), strings.HasPrefix(name, "test/prose/"):
		return true
	case name == "LICENSE":
		return true
	}
	return false
}

// A Rule forbids what a pattern matches.
type Rule struct {
	pattern *regexp.Regexp
	instead string
}

// ParseRules reads a word list: one rule per line, a regular expression and what to
// write instead, separated by a tab. Empty lines and lines that begin with # are
// ignored.
func ParseRules(list string) ([]Rule, error) {
	var rules []Rule
	for number, line := range strings.Split(list, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		expression, instead, ok := strings.Cut(line, "\t")
		if !ok {
			return nil, fmt.Errorf("word list: line %d: no tab", number+1)
		}
		pattern, err := regexp.Compile("(?i)" + expression)
		if err != nil {
			return nil, fmt.Errorf("word list: line %d: %w", number+1, err)
		}
		rules = append(rules, Rule{pattern, instead})
	}
	return rules, nil
}
