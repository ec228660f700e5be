package provider_test

import (
	"archive/zip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// callerProgram is a name of the test program. Started with it by a configuration, the
// program calls a function. Its arguments are the URL of the gateway, the function's
// host, and a file to which it writes the token after a successful call. The token is in
// the environment variable callerToken.
const callerProgram = "call-function"

const callerToken = "FUNCTION_TOKEN"

// callFunction is the main function of callerProgram.
func callFunction() error {
	gateway, host, file := os.Args[1], os.Args[2], os.Args[3]
	token := os.Getenv(callerToken)
	status, err := call(context.Background(), gateway, host, token)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("call the function: got status %d, want 200", status)
	}
	if err := os.WriteFile(file+".new", []byte(token), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// call calls a function through the gateway and returns the status.
func call(ctx context.Context, gateway, host, token string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, gateway, nil)
	if err != nil {
		return 0, err
	}
	request.Host = host
	request.Header.Set("X-Auth-Token", token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// caller links callerProgram into the folder.
func (c *cli) caller() {
	c.t.Helper()
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(c.dir, callerProgram))
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// expectCall fails unless a call with the token gets the status.
func (w *world) expectCall(t *testing.T, host, token string, want int) {
	t.Helper()
	status, err := call(t.Context(), w.GatewayURL, host, token)
	if err != nil {
		t.Fatal(err)
	}
	if status != want {
		t.Errorf("call: got status %d, want %d", status, want)
	}
}

// unzipped returns the files of a zip archive, such as a plan, or nil if the content is
// not a zip archive.
func unzipped(content string) map[string]string {
	archive, err := zip.NewReader(strings.NewReader(content), int64(len(content)))
	if err != nil {
		return nil
	}
	files := map[string]string{}
	for _, entry := range archive.File {
		reader := must(entry.Open())
		files[entry.Name] = string(must(io.ReadAll(reader)))
		reader.Close()
	}
	return files
}

func decodeSegment(segment string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(segment)
}
