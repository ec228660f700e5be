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

// runtimeLanguage is what the name of a runtime begins with.
var runtimeLanguage = regexp.MustCompile(`^(node|python|php|go|rust)`)

// warnOfRuntime reports a runtime that the service does not know, or that is past
// its best. It is called for a function that is to be made or gets another
// runtime, so that a plan in which nothing changes asks for no list. A list that
// cannot be had is no reason to fail: the service checks the runtime itself.
func (r *functionResource) warnOfRuntime(ctx context.Context, region scw.Region, runtime types.String, diags *diag.Diagnostics) {
	if !tfkit.IsSet(runtime) {
		return
	}
	runtimes, err := r.Backend.Runtimes(ctx, region)
	if err != nil {
		tflog.Warn(ctx, "the runtimes cannot be listed", map[string]any{"error": err.Error()})
		return
	}
	name := runtime.ValueString()
	at := slices.IndexFunc(runtimes, func(known *sdk.Runtime) bool { return known.Name == name })
	if at < 0 {
		diags.AddAttributeWarning(path.Root("runtime"), "Unknown runtime",
			fmt.Sprintf("The service in %s has no runtime %s: %s.", region, tfkit.Quote(name), useInstead(runtimes, likeliest(runtimes, name))))
		return
	}
	known := runtimes[at]
	var state string
	switch known.Status {
	case sdk.RuntimeStatusDeprecated:
		state = "deprecated"
	case sdk.RuntimeStatusEndOfSupport:
		state = "past the end of its support"
	case sdk.RuntimeStatusEndOfLife:
		state = "past the end of its life"
	default:
		return
	}
	detail := fmt.Sprintf("The runtime %s is %s, and the service may refuse to make or change functions that use it: %s.",
		tfkit.Quote(name), state, useInstead(runtimes, known.Language))
	if known.StatusMessage != "" {
		detail += " The service says: " + known.StatusMessage
	}
	diags.AddAttributeWarning(path.Root("runtime"), "The runtime is "+state, detail)
}

// likeliest returns the language that a runtime of this name would be of, or "".
func likeliest(runtimes []*sdk.Runtime, name string) string {
	language := runtimeLanguage.FindString(strings.ToLower(name))
	for _, known := range runtimes {
		if language != "" && strings.HasPrefix(known.Name, language) {
			return known.Language
		}
	}
	return ""
}

// useInstead names the newest runtime of the language, or of all languages if it
// is "". The service lists newer runtimes first.
func useInstead(runtimes []*sdk.Runtime, language string) string {
	var newest []string
	named := map[string]bool{}
	for _, known := range runtimes {
		if known.Status != sdk.RuntimeStatusAvailable || named[known.Language] || (language != "" && known.Language != language) {
			continue
		}
		named[known.Language] = true
		newest = append(newest, tfkit.Quote(known.Name))
	}
	if len(newest) == 0 {
		return "use another one"
	}
	return "use " + strings.Join(newest, ", ")
}

// handlerAdvice says how handlers are written, by the beginning of a runtime's name.
var handlerAdvice = map[string]struct{ language, advice string }{
	"node":   {grammar.Node, scriptAdvice},
	"python": {grammar.Python, scriptAdvice},
	"php":    {grammar.PHP, scriptAdvice},
	"go":     {grammar.Go, "write the name of an exported function, for example Handle, or folder/Handle"},
	"rust":   {grammar.Rust, "write the name of a function, for example handle, or folder/handle"},
}

const scriptAdvice = "write file.function, for example handler.handle for the function handle in the file handler"

// checkHandler reports a handler that the runtime's language has no use for: the
// service says no more of it than that it is invalid (issue pulumi-scaleway#254). The
// oldest Go runtimes take a folder, and functions of them exist.
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
			tfkit.Quote(handler.ValueString())+" is no handler for the runtime "+tfkit.Quote(runtime.ValueString())+": "+known.advice+".")
	}
}
