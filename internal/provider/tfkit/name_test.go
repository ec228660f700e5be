package tfkit_test

import (
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

func TestGeneratedName_IsAValidFunctionName(t *testing.T) {
	t.Parallel()
	valid := regexp.MustCompile(`^tf-func-[a-z]+-[a-z]+$`)
	seen := map[string]bool{}
	pick := rand.New(rand.NewPCG(1, 2)).IntN
	for range 200 {
		name := tfkit.GeneratedName("tf-func-", pick)
		if len(name) > 34 || !valid.MatchString(name) {
			t.Errorf("got name %q, want at most 34 characters that match %s", name, valid)
		}
		seen[name] = true
	}
	if len(seen) < 100 {
		t.Errorf("got %d different names, want at least 100", len(seen))
	}
}
