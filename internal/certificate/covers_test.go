package certificate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/certificate"
)

func TestAuthority_CoversItsDomains(t *testing.T) {
	t.Parallel()
	authority, err := certificate.OpenAuthority(t.TempDir(), []string{"functions.localhost", "example.com"}, newSealer(t, 1), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for host, covered := range map[string]bool{
		"example.com": true, "api.example.com": true, "f.functions.localhost": true,
		"example.org": false, "badexample.com": false, "localhost": false,
	} {
		if err := authority.Covers(host); (err == nil) != covered || err != nil && !strings.Contains(err.Error(), "--local-domains") {
			t.Errorf("%s: got %v, want covered %v", host, err, covered)
		}
	}
}
