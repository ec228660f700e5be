package main

import (
	"strings"
	"testing"
)

func TestDoctor_ReportsLanguages(t *testing.T) {
	status, output := command(t, "", "doctor", "--php", "/no/such/php")
	if status != 0 {
		t.Fatalf("got status %d: %s", status, output)
	}
	for _, want := range []string{
		"Languages\n", "go126, go125", "node26, ", "python314, ", "rust196", "/bin/cargo",
		"PHP     missing  this server cannot serve PHP: /no/such/php was not found; install PHP",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("got %s, want %q", output, want)
		}
	}
}
