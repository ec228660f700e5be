package process_test

import (
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/process"
)

// TestRedaction_RemovesSecretsFromReasonAndOutput also checks that the rest of the
// reason is unchanged.
func TestRedaction_RemovesSecretsFromReasonAndOutput(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef-", 3000)
	tests := map[string]struct {
		secrets []string
		script  string
		want    string
	}{
		"one in another":        {[]string{"abcdef", "abcdefTOPSECRET"}, `echo "Exception: $B" >&2`, "Exception: [redacted]"},
		"one over another":      {[]string{"abcdefgh", "efghTOPSECRET"}, `echo abcdefghTOPSECRET. >&2`, "[redacted]."},
		"twice":                 {[]string{"hunter2"}, `echo "$A and $A" >&2`, "[redacted] and [redacted]"},
		"of several lines":      {[]string{"first line\r\n  second line\nx"}, `echo "$A" >&2; echo "no: second line" >&2`, "no: [redacted]"},
		"of several, escaped":   {[]string{"first line\nsecond line"}, `printf '%s' 'no: "first line\nsecond line"' >&2`, `no: "[redacted]\n[redacted]"`},
		"where the text is cut": {[]string{"S3cretvalue"}, `printf '%0395d%s' 0 "$A" >&2`, strings.Repeat("0", 395) + "[reda..."},
		"where the line is cut": {[]string{"S3cretvalue"}, `printf '%s%0900000d' "$A" 0 >&2`, "[redacted]" + strings.Repeat("0", 390) + "..."},
		"longer than a line":    {[]string{long}, `echo "It is $A" >&2`, "It is [redacted]"},
		"a short one":           {[]string{"short"}, `echo "too $A" >&2`, "too short"},
		"nothing":               {nil, `echo "has no cannot" >&2`, "has no cannot"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, process.Config{Dir: shortDir(t)})
			o := collect(e)
			r := engine.Revision{ID: "r", FunctionID: "f", Launch: shell(t, test.script+"; exit 1"), Secrets: test.secrets}
			r.Env = []string{"PLAIN=cannot"}
			for i, secret := range test.secrets {
				r.Env = append(r.Env, string(rune('A'+i))+"="+secret)
			}
			reason := runToItsEnd(t, e, r)
			if want := "exit status 1: " + test.want; reason != want {
				t.Errorf("the reason is %q, want %q", reason, want)
			}
			wantNoSecret(t, o.texts(), test.secrets)
		})
	}
}

// wantNoSecret checks that the lines contain no word of a secret, except short ones.
func wantNoSecret(t *testing.T, lines, secrets []string) {
	t.Helper()
	if len(lines) == 0 {
		t.Error("got no lines")
	}
	for _, line := range lines {
		for _, part := range strings.Fields(strings.Join(secrets, "\n")) {
			if len(part) > 5 && strings.Contains(line, part) {
				t.Errorf("got line %.100q, want no secret", line)
			}
		}
	}
}

// TestRedaction_RemovesASecretAtTheCutOfALongLine fills the first part of a line with
// secrets; the cut divides the last one.
func TestRedaction_RemovesASecretAtTheCutOfALongLine(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("Ab0-", 250)
	e := newEngine(t, process.Config{Dir: shortDir(t)})
	reason := runToItsEnd(t, e, engine.Revision{
		ID: "r", FunctionID: "f", Env: []string{"A=" + secret}, Secrets: []string{secret},
		Launch: shell(t, `printf '%s,' "$A" "$A" "$A" "$A" "$A" "$A" "$A" "$A" "$A" >&2; exit 1`),
	})
	if want := "exit status 1: " + strings.Repeat("[redacted],", 8) + "[redacted]"; reason != want {
		t.Errorf("the reason is %q, want %q", reason, want)
	}
}
