package api_test

import (
	"slices"
	"testing"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/openapi"
)

// Every endpoint is described, and with every field: the description fails when a
// field has no text, or a text no field.
func TestEveryEndpointIsDescribed(t *testing.T) {
	t.Parallel()
	description := api.Description()
	if _, err := openapi.JSON(description); err != nil {
		t.Error(err)
	}
	var described []string
	for _, o := range description.Operations {
		if !o.Open {
			described = append(described, o.Pattern)
		}
	}
	slices.Sort(described)
	if served := api.Patterns(); !slices.Equal(described, served) {
		t.Errorf("described are\n%v\nserved are\n%v", described, served)
	}
}
