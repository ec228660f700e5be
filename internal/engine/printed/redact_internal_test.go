package printed

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestRedactor_HidesWhatASearchForEachSecretFinds compares the redactor with a simple
// search, on secrets and texts of two letters, which overlap often.
func TestRedactor_HidesWhatASearchForEachSecretFinds(t *testing.T) {
	t.Parallel()
	source := rand.New(rand.NewPCG(1, 2))
	word := func(length int) string {
		text := make([]byte, length)
		for i := range text {
			text[i] = 'a' + byte(source.IntN(2))
		}
		return string(text)
	}
	for range 3000 {
		var secrets []string
		for range source.IntN(6) {
			secrets = append(secrets, word(shortestSecret+source.IntN(8)))
		}
		text := word(source.IntN(60))
		if got, want := NewRedactor(secrets).Redact(text), searched(secrets, text); got != want {
			t.Fatalf("%q without %q is %q, want %q", text, secrets, got, want)
		}
	}
}

// searched replaces the bytes that are in a secret, by a search for each secret.
func searched(secrets []string, text string) string {
	covered := make([]bool, len(text))
	for _, secret := range secrets {
		for at := range text {
			if strings.HasPrefix(text[at:], secret) {
				for i := range secret {
					covered[at+i] = true
				}
			}
		}
	}
	var out strings.Builder
	for i := range text {
		switch {
		case !covered[i]:
			out.WriteByte(text[i])
		case i == 0 || !covered[i-1]:
			out.WriteString(redacted)
		}
	}
	return out.String()
}

func TestRedactor_HidesTheStartOfASecretAtACut(t *testing.T) {
	t.Parallel()
	r := NewRedactor([]string{"hunter2-and-more", "and-so-on"})
	for text, want := range map[string]string{
		"it is hunter2-a": "it is [redacted]", "it is hunter2-and-so": "it is hunter2-[redacted]", "it is not": "it is not", "h": "[redacted]", "": "",
	} {
		if got := r.redactStart(text); got != want {
			t.Errorf("redactStart(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestRedactor_ShowsNothingIfThereAreTooManySecrets(t *testing.T) {
	t.Parallel()
	var secrets strings.Builder
	for i := range mostPatterns / 8 {
		fmt.Fprintf(&secrets, "%07d!\n", i)
	}
	secrets.WriteString("one more")
	if got := NewRedactor([]string{secrets.String()}).Redact("harmless"); got != unsearched {
		t.Errorf("Redact() = %q, want %q", got, unsearched)
	}
}

// TestRedactor_TakesLinearTime has 90 secrets of many short lines that resemble the
// text. A search for each secret at each position took 3 s.
func TestRedactor_TakesLinearTime(t *testing.T) {
	t.Parallel()
	var secrets []string
	for i := range 90 {
		var lines strings.Builder
		for j := range 400 {
			fmt.Fprintf(&lines, "aaaa%c%02x\n", 'a'+byte(i%26), (i*400+j)%256)
		}
		secrets = append(secrets, lines.String())
	}
	secrets = append(secrets, strings.Repeat("a", 2*longestPiece)+"b")
	begun := time.Now()
	r := NewRedactor(secrets)
	text := strings.Repeat("a", maxLine)
	for range 100 {
		r.Redact(text)
		r.redactStart(text)
	}
	// 1.6 MB, at 10 to 50 ns each; 40 times that for a busy machine.
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("redacting 200 lines took %v", took)
	}
}

func TestRate_LeavesOutExcessiveLines(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	var logged []string
	l := New(func(string) {})
	l.Bind(nil, func(line string) { logged = append(logged, line) }, new(LastLine), NewRate(func() time.Time { return now }))
	line := strings.Repeat("x", maxLine-1) + "\n"
	for range 2 * outputBurst / maxLine {
		_, _ = l.Write([]byte(line)) // It never fails.
	}
	burst := len(logged)
	if bytes := burst * maxLine; bytes > outputBurst || bytes < outputBurst*9/10 {
		t.Errorf("%d bytes are logged at once, want some %d", bytes, outputBurst)
	}
	now = now.Add(time.Second)
	_, _ = l.Write([]byte("later\n"))
	want := fmt.Sprintf("[%d lines are left out: the instance prints more than %d bytes per second]", 2*outputBurst/maxLine-burst, outputRate)
	if rest := logged[burst:]; len(rest) != 2 || rest[0] != want || rest[1] != "later" {
		t.Errorf("then %q are logged, want %q and the line", rest, want)
	}
	if l.Why(false) != "later" {
		t.Errorf("the cause is %q, want the last line", l.Why(false))
	}
}
