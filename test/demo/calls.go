package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

var languages = []string{"go", "node", "python"}

// callFunctions calls the functions with every kind of token there is.
func (d *demo) callFunctions(ctx context.Context) error {
	var hosts, tokens map[string]string
	if err := d.output(ctx, "private-function", "hosts", &hosts); err != nil {
		return err
	}
	if err := d.output(ctx, "private-function", "tokens", &tokens); err != nil {
		return err
	}
	d.say("Calling the functions")
	call := func(language, what, token string, want int) {
		status, body := d.call(ctx, hosts[language], token)
		d.check("hello-"+language+", "+what, want, status)
		if status == http.StatusOK && what == "its token" {
			fmt.Fprintf(d.out, "        %q\n", strings.TrimSpace(body))
		}
	}
	expires, err := time.Parse(time.RFC3339, d.expiry())
	if err != nil {
		return err
	}
	call("go", "a token that expires in a moment", tokens["short"], http.StatusOK)
	for _, language := range languages {
		call(language, "no token", "", http.StatusForbidden)
		call(language, "its token", tokens[language], http.StatusOK)
		call(language, "the namespace's token", tokens["namespace"], http.StatusOK)
	}
	call("go", "the token of hello-node", tokens["node"], http.StatusForbidden)
	call("node", "the token of hello-python", tokens["python"], http.StatusForbidden)
	call("python", "its token with the last letter changed", changeLast(tokens["python"]), http.StatusForbidden)
	if err := waitUntil(ctx, expires); err != nil {
		return err
	}
	call("go", "the token that has expired now", tokens["short"], http.StatusForbidden)

	d.say("terraform destroy -target='scaleway_function_token.function[\"node\"]'")
	if _, err := d.tf(ctx, "private-function", "destroy", "-auto-approve", `-target=scaleway_function_token.function["node"]`); err != nil {
		return err
	}
	call("node", "its token, revoked", tokens["node"], http.StatusForbidden)
	call("node", "the namespace's token", tokens["namespace"], http.StatusOK)
	return nil
}

// call calls a function, and returns the status and the body.
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

// changeLast changes one letter of a token, and so at least one bit.
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
