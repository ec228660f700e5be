package tfkit_test

import (
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

func TestGeneratedNamesAreValid(t *testing.T) {
	t.Parallel()
	valid := regexp.MustCompile(`^tf-func-[a-z]+-[a-z]+$`)
	seen := map[string]bool{}
	pick := rand.New(rand.NewPCG(1, 2)).IntN
	for range 200 {
		name := tfkit.GeneratedName("tf-func-", pick)
		if len(name) > 34 || !valid.MatchString(name) {
			t.Errorf("the generated name %q is no function name", name)
		}
		seen[name] = true
	}
	if len(seen) < 100 {
		t.Errorf("%d names, want many", len(seen))
	}
}
