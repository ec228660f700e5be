package tfkit_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

func TestSentence_KeepsCaseOfFileNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"open function.zip: no such file or directory": "Open function.zip: no such file or directory.",
		"function.zip: not a zip archive":              "function.zip: not a zip archive.",
		"function: not a zip archive":                  "function: not a zip archive.",
		"./build/Function.ZIP: file is empty":          "./build/Function.ZIP: file is empty.",
		"zip_file: file is empty":                      "zip_file: file is empty.",
		"":                                             ".",
		"done.":                                        "done.",
	} {
		if got := tfkit.Sentence(errors.New(text)); got != want {
			t.Errorf("Sentence(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestAddCreateError_NamesTheArgumentAndTheCorrection(t *testing.T) {
	t.Parallel()
	connection, err := client.New(&client.Profile{
		Profile:       &scw.Profile{AccessKey: new("SCW11111111111111111"), SecretKey: new("11111111-1111-1111-1111-111111111111")},
		AccessKeyFrom: "a test", SecretKeyFrom: "a test",
	}, "test")
	if err != nil {
		t.Fatal(err)
	}
	backend := &tfkit.Backend{Client: connection}
	answer := func(status int, argument string) error {
		return &client.Error{StatusCode: status, JSON: true, Argument: argument}
	}
	tests := map[string]struct {
		err       error
		attribute string
		want      string
	}{
		"missing parent":   {answer(http.StatusNotFound, ""), "function_id", "correct function_id."},
		"name in use":      {answer(http.StatusConflict, ""), "name", "choose another one, or import the existing object"},
		"refused argument": {answer(http.StatusBadRequest, "schedule"), "schedule", "400 Bad Request."},
		"wrong key":        {answer(http.StatusUnauthorized, ""), "", "The keys are from a test. Correct the key there"},
		"forbidden":        {answer(http.StatusForbidden, ""), "", "The keys are from a test."},
		"interrupted":      {context.Canceled, "", "apply again to continue."},
		"timeout":          {context.DeadlineExceeded, "", "raise the limit in the timeouts block."},
		"another error":    {errors.New("no luck"), "", "No luck."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var diags diag.Diagnostics
			backend.AddCreateError(&diags, "Cannot create the cron", test.err, "function_id", "name")
			if len(diags) != 1 || diags[0].Summary() != "Cannot create the cron" || !strings.Contains(diags[0].Detail(), test.want) {
				t.Fatalf("got %v, want one diagnostic that contains %q", diags, test.want)
			}
			got := ""
			if at, ok := diags[0].(diag.DiagnosticWithPath); ok {
				got = at.Path().String()
			}
			if test.attribute != "" && got != path.Root(test.attribute).String() || test.attribute == "" && got != "" {
				t.Errorf("got attribute %q, want %q", got, test.attribute)
			}
		})
	}
}
