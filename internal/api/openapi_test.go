package api_test

import (
	"slices"
	"testing"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/openapi"
)

// The document also requires a description of every field, and a field for every
// description.
func TestDescription_CoversAllEndpoints(t *testing.T) {
	t.Parallel()
	description := api.Description()
	if _, err := openapi.JSON(description); err != nil {
		t.Error(err)
	}
	var described []string
	for _, o := range description.Operations {
		if !o.Public {
			described = append(described, o.Pattern)
		}
	}
	slices.Sort(described)
	if served := api.Patterns(); !slices.Equal(described, served) {
		t.Errorf("described endpoints: got\n%v\nwant the served ones\n%v", described, served)
	}
}
