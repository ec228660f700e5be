package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/output"
)

func TestLogs_PrintsLines(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("JETON_DATA_DIR", dir)
	logs, err := output.Open(filepath.Join(dir, output.Dir), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []output.Function{{ID: "id1", Name: "one", Namespace: "n"}, {ID: "id2", Name: "two", Namespace: "n"}, {ID: "id3", Name: "two", Namespace: "m"}} {
		if err := logs.WriteBuild(f, "built "+f.ID+"\n\x1b[2J"); err != nil {
			t.Fatal(err)
		}
	}
	for i, text := range []string{"an old line", "a \x1b]0;new\a line\twith 1 tab"} {
		at := time.Now().Add(time.Duration(i-1) * time.Hour)
		err := logs.Append(output.Entry{At: at, Function: "id1", Instance: "i7", RequestID: "q9", Stream: output.Stderr, Text: text})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := logs.Close(); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args   []string
		status int
		want   []string
		not    string
	}{
		"all":           {args: []string{"one"}, want: []string{"an old line", "i7  q9", `stderr  a \x1b]0;new\x07 line` + "\twith"}},
		"since":         {args: []string{"one", "--since", "10m"}, want: []string{"tab"}, not: "an old line"},
		"by ID":         {args: []string{"fr-par/id1", "-o", "json"}, want: []string{`"message":"an old line"`, `"request_id":"q9"`}},
		"the build":     {args: []string{"one", "--build"}, want: []string{"built id1\n\\x1b[2J"}, not: "\x1b"},
		"ambiguous":     {args: []string{"two"}, status: 1, want: []string{"several functions", "id2 of namespace n", "id3 of namespace m"}},
		"unknown":       {args: []string{"none"}, status: 1, want: []string{`find function "none": no logs`, dir}},
		"without lines": {args: []string{"id2"}},
	} {
		status, output := command(t, "", append([]string{"logs"}, test.args...)...)
		wantOutput(t, name, status, test.status, output, test.want...)
		if test.not != "" {
			wantNotOutput(t, name, output, test.not)
		}
	}
}

func wantNotOutput(t *testing.T, name, output, part string) {
	t.Helper()
	if strings.Contains(output, part) {
		t.Errorf("%s: got %s, want no %q", name, output, part)
	}
}
