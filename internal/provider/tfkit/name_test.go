package tfkit_test

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/client"
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

func TestCreateNamed_RetriesGeneratedNamesOnConflict(t *testing.T) {
	t.Parallel()
	conflict, refused := &client.Error{StatusCode: http.StatusConflict}, errors.New("refused")
	tests := map[string]struct {
		name    types.String
		answers []error
		calls   int
		want    error
	}{
		"configured name":          {types.StringValue("main"), []error{nil}, 1, nil},
		"configured name conflict": {types.StringValue("main"), []error{conflict}, 1, conflict},
		"generated name":           {types.StringUnknown(), []error{nil}, 1, nil},
		"two conflicts":            {types.StringNull(), []error{conflict, conflict, nil}, 3, nil},
		"only conflicts":           {types.StringNull(), []error{conflict, conflict, conflict, conflict, conflict}, 5, conflict},
		"another error":            {types.StringNull(), []error{refused}, 1, refused},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var names []string
			created, err := tfkit.CreateNamed(test.name, "tf-func-", rand.New(rand.NewPCG(1, 2)).IntN, func(name string) (*string, error) {
				names = append(names, name)
				if err := test.answers[len(names)-1]; err != nil {
					return nil, err
				}
				return &name, nil
			})
			if len(names) != test.calls || !errors.Is(err, test.want) {
				t.Fatalf("got %d calls and error %v, want %d and %v", len(names), err, test.calls, test.want)
			}
			last := names[len(names)-1]
			if err == nil && *created != last {
				t.Errorf("got %q, want %q", *created, last)
			}
			if err != nil && test.name.IsNull() && !strings.Contains(err.Error(), last) {
				t.Errorf("got error %q, want it to contain the generated name %s", err, last)
			}
		})
	}
}
