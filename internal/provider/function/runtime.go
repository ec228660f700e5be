package function

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// runtimeLanguage matches the language at the beginning of the name of a runtime.
var runtimeLanguage = regexp.MustCompile(`^(node|python|php|go|rust)`)

// warnOfRuntime warns of a runtime that the service does not have or that is deprecated.
// It lists the runtimes, so it is called only for a new function or a changed runtime. It
// ignores errors: the service checks the runtime too.
func (r *functionResource) warnOfRuntime(ctx context.Context, region scw.Region, runtime types.String, diags *diag.Diagnostics) {
	if !tfkit.IsSet(runtime) {
		return
	}
	runtimes, err := r.Backend.Runtimes(ctx, region)
	if err != nil {
		tflog.Warn(ctx, "cannot list the runtimes", map[string]any{"error": err.Error()})
		return
	}
	name := runtime.ValueString()
	at := slices.IndexFunc(runtimes, func(known *sdk.Runtime) bool { return known.Name == name })
	if at < 0 {
		diags.AddAttributeWarning(path.Root("runtime"), "Unknown runtime",
			fmt.Sprintf("The service in region %s has no runtime %s: %s.", region, tfkit.Quote(name), useInstead(runtimes, languageOf(runtimes, name))))
		return
	}
	known := runtimes[at]
	var state string
	switch known.Status {
	case sdk.RuntimeStatusDeprecated:
		state = "deprecated"
	case sdk.RuntimeStatusEndOfSupport:
		state = "at its end of support"
	case sdk.RuntimeStatusEndOfLife:
		state = "at its end of life"
	default:
		return
	}
	detail := fmt.Sprintf("Runtime %s is %s. The service may refuse to create or change functions that use it: %s.",
		tfkit.Quote(name), state, useInstead(runtimes, known.Language))
	if known.StatusMessage != "" {
		detail += " Message of the service: " + known.StatusMessage
	}
	diags.AddAttributeWarning(path.Root("runtime"), "The runtime is "+state, detail)
}

// languageOf returns the language of a runtime with this name, or "".
func languageOf(runtimes []*sdk.Runtime, name string) string {
	language := runtimeLanguage.FindString(strings.ToLower(name))
	for _, known := range runtimes {
		if language != "" && strings.HasPrefix(known.Name, language) {
			return known.Language
		}
	}
	return ""
}

// useInstead returns advice to use the newest available runtime of the language, or of
// each language if it is "". The service lists newer runtimes first.
func useInstead(runtimes []*sdk.Runtime, language string) string {
	var newest []string
	listed := map[string]bool{}
	for _, known := range runtimes {
		if known.Status != sdk.RuntimeStatusAvailable || listed[known.Language] || (language != "" && known.Language != language) {
			continue
		}
		listed[known.Language] = true
		newest = append(newest, tfkit.Quote(known.Name))
	}
	if len(newest) == 0 {
		return "use another runtime"
	}
	return "use " + strings.Join(newest, ", ")
}

// handlerAdvice is the form of handlers by the language at the beginning of a runtime's
// name.
var handlerAdvice = map[string]struct{ language, advice string }{
	"node":   {grammar.Node, scriptAdvice},
	"python": {grammar.Python, scriptAdvice},
	"php":    {grammar.PHP, scriptAdvice},
	"go":     {grammar.Go, "write the name of an exported function, for example Handle, or folder/Handle"},
	"rust":   {grammar.Rust, "write the name of a function, for example handle, or folder/handle"},
}

const scriptAdvice = "write file.function, for example handler.handle for the function handle in the file handler"

// checkHandler adds an error for a handler that is not valid for the runtime's language.
// The service only answers that it is invalid (issue pulumi-scaleway#254). It accepts any
// handler for the oldest Go runtimes, whose handlers are folders.
func checkHandler(runtime, handler types.String, diags *diag.Diagnostics) {
	if !tfkit.IsSet(runtime) || !tfkit.IsSet(handler) || runtime.ValueString() == "go113" || runtime.ValueString() == "golang" {
		return
	}
	known, ok := handlerAdvice[runtimeLanguage.FindString(runtime.ValueString())]
	if !ok {
		return
	}
	if _, err := grammar.ParseHandler(known.language, handler.ValueString()); err != nil {
		diags.AddAttributeError(path.Root("handler"), "Invalid handler",
			tfkit.Quote(handler.ValueString())+" is not a valid handler for the runtime "+tfkit.Quote(runtime.ValueString())+": "+known.advice+".")
	}
}
