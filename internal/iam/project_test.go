package iam_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/iam"
)

func TestProject_RefusesInvalidNames(t *testing.T) {
	t.Parallel()
	p, err := iam.NewProject("p", "", "name", "", start)
	if err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct{ name, description, field, reason string }{
		"no name":             {"", "", "name", "required"},
		"ID as name":          {"11111111-1111-4111-8111-111111111111", "", "name", "format"},
		"long name":           {strings.Repeat("x", 201), "", "name", "constraint"},
		"control character":   {"a\x1b", "", "name", "format"},
		"invalid UTF-8":       {"a\xff", "", "name", "format"},
		"long description":    {"a", strings.Repeat("x", 201), "description", "constraint"},
		"lines":               {"a", "one\ntwo", "description", "format"},
		"valid":               {"a", "one", "", ""},
		"ID in capitals only": {"AAAAAAAA-1111-4111-8111-111111111111", "", "", ""},
	} {
		_, created := iam.NewProject("p", "o", test.name, test.description, start)
		_, changed := p.Change(&test.name, &test.description, start)
		for _, err := range []error{created, changed} {
			field, _ := errors.AsType[*iam.FieldError](err)
			if (err == nil) != (test.field == "") || field != nil && (field.Field != test.field || field.Reason != test.reason) {
				t.Errorf("%s: got %v, want the field %q and the reason %q", what, err, test.field, test.reason)
			}
		}
	}
}

func TestProject_KeepsUnchangedFields(t *testing.T) {
	t.Parallel()
	p, err := iam.NewProject("p", "", "name", "text", start)
	if err != nil {
		t.Fatal(err)
	}
	p = p.BelongTo("o")
	if again := p.BelongTo("other"); again != p {
		t.Errorf("second organization: got %+v, want %+v", again, p)
	}
	name, later := "new", start.Add(time.Hour)
	got, err := p.Change(&name, nil, later)
	want := iam.Project{ID: "p", OrganizationID: "o", Name: "new", Description: "text", CreatedAt: start, UpdatedAt: later}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
