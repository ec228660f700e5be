package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// tokenStart begins the text of every token: its header, in base64.
const tokenStart = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9."

// secretsAreNotStored searches for all secrets that the proofs so far have created, while
// a server is running.
func secretsAreNotStored(ctx context.Context, h *harness) (string, error) {
	v, namespaceID, err := h.newServerWithNamespace(ctx, "secrets")
	if err != nil {
		return "", err
	}
	defer v.stop()
	f, err := v.deploy(ctx, namespaceID, "f", fast, 1)
	if err != nil {
		return "", err
	}
	tokens, err := v.tokens(ctx, 1, never, f)
	if err != nil {
		return "", err
	}
	if status := call(ctx, http.DefaultClient, v.gateway, tokens[0].host, tokens[0].text); status != http.StatusOK {
		return "", fmt.Errorf("call function: got status %d", status)
	}
	found, searched := 0, 0
	search := func(name string, content []byte) {
		searched++
		if secret := h.leak(content); secret != "" {
			found++
			fmt.Fprintf(os.Stderr, "prove: %s contains %.12s...\n", name, secret)
		}
	}
	if err := h.searchFiles(search); err != nil {
		return "", err
	}
	metrics, err := v.metrics(ctx)
	if err != nil {
		return "", err
	}
	search("/metrics", metrics)
	arguments, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return "", err
	}
	for _, path := range arguments {
		// The process may have ended.
		if content, err := os.ReadFile(path); err == nil {
			search(path, content)
		}
	}
	line := fmt.Sprintf("%d tokens, secret keys and secret variables, %d of %d files, logs, metrics and command lines contain one", len(h.secrets), found, searched)
	if found > 0 {
		return line, errBroken
	}
	return line, nil
}

// metrics returns the server's metrics.
func (v *jeton) metrics(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.ops+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// searchFiles passes each file that the servers have written to search. It ignores the
// credentials files, which contain an API key for clients.
func (h *harness) searchFiles(search func(string, []byte)) error {
	return filepath.WalkDir(h.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || strings.HasSuffix(path, ".credentials.yaml") {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		search(path, content)
		return nil
	})
}

// leak returns a secret, or the beginning of a token, that the content contains.
func (h *harness) leak(content []byte) string {
	if bytes.Contains(content, []byte(tokenStart)) {
		return tokenStart
	}
	for _, secret := range h.secrets {
		if !strings.HasPrefix(secret, tokenStart) && bytes.Contains(content, []byte(secret)) {
			return secret
		}
	}
	return ""
}
