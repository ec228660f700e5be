package main

import (
	"strings"
	"testing"
)

func TestDoctor(t *testing.T) {
	status, says := command(t, "", "doctor", "--php", "/no/such/php")
	if status != 0 {
		t.Fatalf("status %d: %s", status, says)
	}
	for _, want := range []string{
		"Languages\n", "go126, go125", "node26, ", "python314, ", "rust196", "/bin/cargo",
		"PHP     missing  this server cannot serve PHP: /no/such/php was not found; install PHP",
	} {
		if !strings.Contains(says, want) {
			t.Errorf("it does not say %q:\n%s", want, says)
		}
	}
}
