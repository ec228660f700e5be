package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// programs are the programs that the server needs for each language.
var programs = []struct{ language, program string }{{"go", "go"}, {"node", "node"}, {"php", "php"}, {"python", "python3"}}

// findLanguages selects the languages whose programs are installed.
func (d *demo) findLanguages(context.Context) error {
	for _, p := range programs {
		if _, err := exec.LookPath(p.program); err != nil {
			d.say("%s is not installed: skipping the function hello-%s", p.program, p.language)
			continue
		}
		d.languages = append(d.languages, p.language)
	}
	encoded, err := json.Marshal(d.languages)
	if err != nil {
		return err
	}
	return os.Setenv("TF_VAR_languages", string(encoded))
}

// callFunctions calls the functions with valid, foreign, changed, expired and revoked
// tokens.
func (d *demo) callFunctions(ctx context.Context) error {
	var hosts, tokens map[string]string
	if err := d.output(ctx, "private-function", "hosts", &hosts); err != nil {
		return err
	}
	if err := d.output(ctx, "private-function", "tokens", &tokens); err != nil {
		return err
	}
	d.host = hosts["go"]
	var foreign string
	if err := d.stateValue(ctx, "function-token", "scaleway_function_token.function", "token", &foreign); err != nil {
		return err
	}
	expires, err := time.Parse(time.RFC3339, d.expiry())
	if err != nil {
		return err
	}
	d.say("Calling the functions")
	call := func(language, what, token string, want int) {
		d.callAndCheck(ctx, language, hosts[language], what, token, want)
	}
	call("go", "a token that expires soon", tokens["short"], http.StatusOK)
	for i, language := range d.languages {
		call(language, "no token", "", http.StatusForbidden)
		call(language, "its token", tokens[language], http.StatusOK)
		call(language, "the namespace's token", tokens["namespace"], http.StatusOK)
		if other := d.languages[(i+1)%len(d.languages)]; other != language {
			call(language, "the token of hello-"+other, tokens[other], http.StatusForbidden)
		}
	}
	call("go", "the token of another namespace's function", foreign, http.StatusForbidden)
	call("go", "its token with the last letter changed", changeLast(tokens["go"]), http.StatusForbidden)
	if err := waitUntil(ctx, expires); err != nil {
		return err
	}
	call("go", "the token after its expiry", tokens["short"], http.StatusForbidden)

	d.say(`terraform destroy -target='scaleway_function_token.function["go"]'`)
	if _, err := d.tf(ctx, "private-function", "destroy", "-auto-approve", `-target=scaleway_function_token.function["go"]`); err != nil {
		return err
	}
	call("go", "its revoked token", tokens["go"], http.StatusForbidden)
	call("go", "the namespace's token", tokens["namespace"], http.StatusOK)
	return nil
}

func (d *demo) callAndCheck(ctx context.Context, language, host, what, token string, want int) {
	status, body := d.call(ctx, host, token)
	d.check("hello-"+language+", "+what, want, status)
	if status == http.StatusOK && what == "its token" {
		fmt.Fprintf(d.out, "        %q\n", strings.TrimSpace(body))
	}
}

// call calls a function, and returns the status and the body. If the call fails, it
// returns 0 and the error.
func (d *demo) call(ctx context.Context, host, token string) (int, string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.server.gateway+"/world", nil)
	if err != nil {
		return 0, err.Error()
	}
	request.Host = host
	if token != "" {
		request.Header.Set("X-Auth-Token", token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

// changeLast replaces the last letter of a token.
func changeLast(token string) string {
	last := byte('A')
	if token[len(token)-1] == last {
		last = 'B'
	}
	return token[:len(token)-1] + string(last)
}

func waitUntil(ctx context.Context, at time.Time) error {
	select {
	case <-time.After(time.Until(at)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
