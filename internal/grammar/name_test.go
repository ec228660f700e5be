package grammar_test

import (
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/grammar"
)

func TestNames_AcceptDocumentedForms(t *testing.T) {
	t.Parallel()
	hostname := func(text string) bool { _, ok := grammar.Hostname(text); return ok }
	tests := map[string]struct {
		accepts        func(string) bool
		valid, invalid []string
	}{
		"namespace": {
			grammar.IsNamespaceName,
			[]string{"a", "Test-1", strings.Repeat("a", grammar.MaxNamespaceName)},
			[]string{"", "1a", "a-", "-a", "a_b", "ü", "a\n", strings.Repeat("a", grammar.MaxNamespaceName+1)},
		},
		"function": {
			grammar.IsFunctionName,
			[]string{"a", "1-b", strings.Repeat("a", 100)},
			[]string{"", "A", "a-", "-a", "a.b", "a\n"},
		},
		"variable": {
			grammar.IsVariableName,
			[]string{"A", "_a.b-c", "SCW_PUBLIC", strings.Repeat("A", grammar.MaxVariableName)},
			[]string{"", "1A", "A=B", "ü", "A\n", strings.Repeat("A", grammar.MaxVariableName+1)},
		},
		"reserved variable": {
			grammar.IsReservedVariable,
			[]string{"SCW_PUBLIC_KEY", "SCW_HANDLER_NAME"},
			[]string{"", "SCW_SECRET_KEY", "SCW_ACCESS_KEY", "SCW_DEFAULT_REGION", "scw_public_key"},
		},
		"hostname": {
			hostname,
			[]string{"api.example.com", "API.example.com.", "xn--bcher-kva.example", strings.Repeat("a.", 125) + "com"},
			[]string{"", ".", "localhost", "*.example.com", "192.0.2.1", "my_api.example.com", "a..b.com", "example.com..", strings.Repeat("a.", 126) + "com"},
		},
		"subject": {
			grammar.IsSubject,
			[]string{"orders", "orders.>", "*.new", ">", "a.*.b"},
			[]string{"", ".", "a.", ">.a", "a b", "a.\tb", "a..b", "a\n"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, text := range test.valid {
				if !test.accepts(text) {
					t.Errorf("%.80q: got invalid, want valid", text)
				}
			}
			for _, text := range test.invalid {
				if test.accepts(text) {
					t.Errorf("%.80q: got valid, want invalid", text)
				}
			}
		})
	}
}

func TestHostname_ReturnsNormalForm(t *testing.T) {
	t.Parallel()
	if name, ok := grammar.Hostname("API.Example.com."); name != "api.example.com" || !ok {
		t.Errorf("Hostname: got %q, %t, want %q, true", name, ok, "api.example.com")
	}
}
