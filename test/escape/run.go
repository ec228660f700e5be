package escape

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// An Outcome is what one attempt came to.
type Outcome struct {
	Language, Attempt string
	// Open is true if the attempt had success.
	Open bool
	// Met is what stood in its way, in the words of the program or of the
	// gateway.
	Met string
	// Honest is empty if the next call was served as if nothing had been, and
	// says what it was served with otherwise.
	Honest string
}

// Try has a deployed program make attempts, one after the other, with an honest
// call behind each. The function is reached at the gateway by its host.
func Try(ctx context.Context, p Program, attempts []string, gateway, host, query string) ([]Outcome, error) {
	var outcomes []Outcome
	for _, attempt := range attempts {
		status, text, err := call(ctx, gateway+"/"+attempt+"?"+query, host)
		if err != nil {
			return nil, fmt.Errorf("%s: attempt %s: %w", p.Language, attempt, err)
		}
		o := Outcome{Language: p.Language, Attempt: attempt, Open: status == http.StatusOK && text == "OPEN", Met: strings.TrimPrefix(text, "blocked: ")}
		if status != http.StatusOK {
			o.Met = fmt.Sprintf("%d: %s", status, strings.TrimSpace(text))
		}
		status, text, err = call(ctx, gateway+"/honest", host)
		if err != nil {
			return nil, fmt.Errorf("%s: the call behind %s: %w", p.Language, attempt, err)
		}
		if status != http.StatusOK || text != "honest" {
			o.Honest = fmt.Sprintf("%d: %s", status, strings.TrimSpace(text))
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
