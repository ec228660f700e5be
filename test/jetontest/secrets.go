package jetontest

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
)

// tokenStart is how the text of every token begins: its header, in base64.
const tokenStart = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9."

// findSecrets fails the test if a token, or the server's API key, stands in what
// the server has left behind: its data folder and its log.
func (j *Jeton) findSecrets() {
	j.t.Helper()
	look := func(where string, content []byte) {
		for what, secret := range map[string]string{"a token": tokenStart, "the API key": j.SecretKey} {
			if bytes.Contains(content, []byte(secret)) {
				j.t.Errorf("%s stands in %s", what, where)
			}
		}
	}
	look("the log", []byte(j.Log.String()))
	err := filepath.WalkDir(j.DataDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		look(path, content)
		return err
	})
	if err != nil {
		j.t.Errorf("look for secrets: %v", err)
	}
}
