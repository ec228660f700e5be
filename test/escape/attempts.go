package escape

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/test/deploy"
)

// An Outcome is the result of one attempt.
type Outcome struct {
	Language, Attempt string
	// Succeeded is true if the attempt succeeded, which isolation must prevent.
	Succeeded bool
	// Answer is what the program or the gateway answered to the attempt.
	Answer string
	// NextCall is empty if an ordinary call after the attempt was served, and otherwise
	// the answer to that call.
	NextCall string
}

// Failure describes what isolation did not prevent: success, or harm to the next call.
// It is empty if isolation holds.
func (o Outcome) Failure() string {
	switch {
	case o.Succeeded:
		return fmt.Sprintf("%s in %s succeeded (%s)", o.Attempt, o.Language, o.Answer)
	case o.NextCall != "":
		return fmt.Sprintf("the call after %s in %s got %s", o.Attempt, o.Language, o.NextCall)
	}
	return ""
}

// Deploy deploys a program as a public function with 256 MB of memory.
func Deploy(ctx context.Context, api *function.API, namespaceID string, p Program) (*function.Function, error) {
	files, err := p.Files()
	if err != nil {
		return nil, err
	}
	memory := uint32(256)
	return deploy.Function(ctx, api, &function.CreateFunctionRequest{
		NamespaceID: namespaceID, Name: "escape-" + p.Language, Runtime: function.FunctionRuntime(p.Runtime), Handler: &p.Handler,
		Privacy: function.FunctionPrivacyPublic, MemoryLimit: &memory,
	}, files)
}

// Try calls a deployed program once for each attempt, with an ordinary call after each.
// gateway is the URL of the gateway, and host the function's hostname.
func Try(ctx context.Context, p Program, attempts []string, gateway, host string, t *Targets) ([]Outcome, error) {
	var outcomes []Outcome
	for _, attempt := range attempts {
		status, text, err := call(ctx, gateway+"/"+attempt+"?"+t.query.Encode(), host)
		if err != nil {
			return nil, fmt.Errorf("%s: attempt %s: %w", p.Language, attempt, err)
		}
		o := Outcome{Language: p.Language, Attempt: attempt, Succeeded: status == http.StatusOK && text == "OPEN", Answer: strings.TrimPrefix(text, "blocked: ")}
		if status != http.StatusOK {
			o.Answer = fmt.Sprintf("%d: %s", status, strings.TrimSpace(text))
		}
		status, text, err = call(ctx, gateway+"/ordinary", host)
		if err != nil {
			return nil, fmt.Errorf("%s: call after %s: %w", p.Language, attempt, err)
		}
		if status != http.StatusOK || text != "ordinary" {
			o.NextCall = fmt.Sprintf("%d: %s", status, strings.TrimSpace(text))
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

func call(ctx context.Context, url, host string) (status int, text string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	return response.StatusCode, string(body), err
}
