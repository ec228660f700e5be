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
	// tokenStart is how the text of every token begins: its header, in base64.
	tokenStart = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9."
	// SecretMark is in the values that tests give to secret variables, so that
	// they are found wherever one of them has got to.
	SecretMark = "correct-horse-battery-staple"
)

// findSecrets fails the test if a token, a secret variable or the server's API
// key stands in what the server shows or has left behind.
func (j *Jeton) findSecrets(where string, content []byte) {
	j.t.Helper()
	for what, secret := range map[string]string{"a token": tokenStart, "a secret variable": SecretMark, "the API key": j.SecretKey} {
		if bytes.Contains(content, []byte(secret)) {
			j.t.Errorf("%s stands in %s", what, where)
		}
	}
}

// searchRunning looks for secrets at what can be seen of a running server: its
// metrics, and the command lines of its processes.
func (j *Jeton) searchRunning() {
	j.t.Helper()
	response, err := http.Get(j.OpsURL + "/metrics") //nolint:noctx // The test's own context has ended.
	if err != nil {
		j.t.Errorf("ask for the metrics: %v", err)
		return
	}
	defer response.Body.Close()
	metrics, err := io.ReadAll(response.Body)
	if err != nil {
		j.t.Errorf("read the metrics: %v", err)
	}
	j.findSecrets("the metrics", metrics)
	for _, pid := range descendants(os.Getpid()) {
		// It may have ended since.
		arguments, _ := os.ReadFile(fmt.Sprintf("/proc/%s/cmdline", pid))
		j.findSecrets("a command line", arguments)
	}
}

// descendants are the processes that a process has started, and those that they
// have. There are none where the system has no /proc.
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

// searchLeftBehind looks for secrets in what a server that is stopped has
// written: its data folder, its log, and the spans that it has sent.
func (j *Jeton) searchLeftBehind() {
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
		j.t.Errorf("look for secrets: %v", err)
	}
}
