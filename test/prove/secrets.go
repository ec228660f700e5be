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

// tokenStart is how the text of every token begins: its header, in base64.
const tokenStart = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9."

// nothingSecretIsKept looks, after the other proofs and beside a running
// server, for everything secret that they have made.
func nothingSecretIsKept(ctx context.Context, s *stage) (string, error) {
	v, err := s.newServer(ctx)
	if err != nil {
		return "", err
	}
	defer v.stop()
	namespaceID, err := v.namespace(ctx, "secrets")
	if err != nil {
		return "", err
	}
	f, err := v.deploy(ctx, namespaceID, "f", fast, 1)
	if err != nil {
		return "", err
	}
	tickets, err := v.tickets(ctx, 1, never, f)
	if err != nil {
		return "", err
	}
	if status := call(ctx, http.DefaultClient, v.gateway, tickets[0].host, tickets[0].text); status != http.StatusOK {
		return "", fmt.Errorf("a call is answered with %d", status)
	}
	found, searched := 0, 0
	look := func(name string, content []byte) {
		searched++
		if secret := s.leak(content); secret != "" {
			found++
			fmt.Fprintf(os.Stderr, "prove: %s holds %.12s...\n", name, secret)
		}
	}
	if err := s.searchFiles(look); err != nil {
		return "", err
	}
	metrics, err := v.metrics(ctx)
	if err != nil {
		return "", err
	}
	look("the metrics", metrics)
	arguments, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return "", err
	}
	for _, path := range arguments {
		// A process may have ended since.
		if content, err := os.ReadFile(path); err == nil {
			look(path, content)
		}
	}
	line := fmt.Sprintf("%d tokens, secret keys and secret variables, none of them in %d files, logs, metrics and command lines", len(s.secrets), searched)
	if found > 0 {
		return fmt.Sprintf("%d secrets, found in %d of %d places", len(s.secrets), found, searched), errBroken
	}
	return line, nil
}

// metrics are what operators would scrape, after a call.
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

// searchFiles looks through all that the servers have written, but for the
// credentials files, whose purpose is to hold the key for the client.
func (s *stage) searchFiles(look func(string, []byte)) error {
	return filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || strings.HasSuffix(path, ".credentials.yaml") {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		look(path, content)
		return nil
	})
}

// leak returns a secret that stands in the content, or the beginning of any
// token.
func (s *stage) leak(content []byte) string {
	if bytes.Contains(content, []byte(tokenStart)) {
		return tokenStart
	}
	for _, secret := range s.secrets {
		if !strings.HasPrefix(secret, tokenStart) && bytes.Contains(content, []byte(secret)) {
			return secret
		}
	}
	return ""
}
