package jetontest

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

const (
	// tokenStart is the start of every token: its header in base64.
	tokenStart = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9."
	// SecretMark is part of the values of secret variables in tests, so that the search
	// for secrets finds them.
	SecretMark = "correct-horse-battery-staple"
)

// findSecrets fails the test if the content contains a token, a secret variable or the
// server's API key. Where names the content in the failure.
func (j *Jeton) findSecrets(where string, content []byte) {
	j.t.Helper()
	for what, secret := range map[string]string{"a token": tokenStart, "a secret variable": SecretMark, "the API key": j.SecretKey} {
		if bytes.Contains(content, []byte(secret)) {
			j.t.Errorf("%s contains %s", where, what)
		}
	}
}

// searchRunning searches the metrics of a running server and the command lines of its
// processes for secrets.
func (j *Jeton) searchRunning() {
	j.t.Helper()
	response, err := http.Get(j.OpsURL + "/metrics") //nolint:noctx // The test's own context has ended.
	if err != nil {
		j.t.Errorf("get the metrics: %v", err)
		return
	}
	defer response.Body.Close()
	metrics, err := io.ReadAll(response.Body)
	if err != nil {
		j.t.Errorf("read the metrics: %v", err)
	}
	j.findSecrets("the metrics", metrics)
	for _, pid := range descendants(os.Getpid()) {
		// The process may have ended.
		arguments, _ := os.ReadFile(fmt.Sprintf("/proc/%s/cmdline", pid))
		j.findSecrets("a command line", arguments)
	}
}

// descendants returns the IDs of a process's descendants. It returns none on a system
// without /proc.
func descendants(pid any) []string {
	var found []string
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%v/task/*/children", pid))
	for _, list := range lists {
		content, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(content)) {
			found = append(append(found, child), descendants(child)...)
		}
	}
	return found
}

// searchStopped searches the data folder, the log and the spans of a stopped server for
// secrets.
func (j *Jeton) searchStopped() {
	j.t.Helper()
	j.findSecrets("the log", []byte(j.Log.String()))
	j.findSecrets("the spans", collector().received())
	err := filepath.WalkDir(j.DataDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		j.findSecrets(path, content)
		return err
	})
	if err != nil {
		j.t.Errorf("search for secrets: %v", err)
	}
}
