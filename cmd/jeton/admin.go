package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/server"
)

// adminCommand is embedded in commands that manage a whole server: over the admin socket of the
// server of the data directory, or over the API of another one with an API key that covers the
// organization.
type adminCommand struct{ remoteCommand }

// isLocal reports whether the flags and the environment select the server of the data directory.
func (c connectFlags) isLocal(dataDir string) bool {
	if c.APIURL != "" || c.APIKey != "" || c.Profile != "" || c.Credentials != "" {
		return false
	}
	endpoints, serving := server.Reach(dataDir)
	selected := os.Getenv(scw.ScwAPIURLEnv)
	return dataDir != server.DefaultDataDir() || selected == "" || serving && strings.TrimRight(selected, "/") == endpoints.API
}

// callServer calls the administration of the selected server. Errors of call begin with action.
func callServer[T any](c adminCommand, dataDir, action string, call func(*admin.Client) (T, error)) (T, error) {
	if c.isLocal(dataDir) {
		return callAdmin(dataDir, action, call)
	}
	var none T
	profile, err := c.profile(dataDir)
	if err != nil {
		return none, err
	}
	address := strings.TrimRight(text(profile.APIURL), "/")
	answer, err := call(admin.NewRemoteClient(address, text(profile.SecretKey)))
	if err != nil {
		return none, explain(fmt.Errorf("%s: %w", action, err), address)
	}
	return answer, nil
}

// notServing returns the error of a command that needs the server of a data directory.
func notServing(action, dataDir string) error {
	if _, err := os.Stat(filepath.Join(dataDir, server.EndpointsFile)); errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s: %s belongs to another user: run the command as the user of the server, or use its API with --profile or --api-url", action, dataDir)
	}
	return fmt.Errorf("%s: no server uses %s: start 'jeton serve' first, or set --data-dir", action, dataDir)
}

// callAdmin calls the admin socket of the running server that uses dataDir. Errors of call
// begin with action. Only the server writes its database, so the command needs a running
// server.
func callAdmin[T any](dataDir, action string, call func(*admin.Client) (T, error)) (T, error) {
	endpoints, serving := server.Reach(dataDir)
	if !serving {
		var none T
		return none, notServing(action, dataDir)
	}
	answer, err := call(admin.NewClient(endpoints.Admin))
	if err != nil {
		err = fmt.Errorf("%s: %w", action, err)
	}
	return answer, err
}

func printJSON(out io.Writer, objects any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(objects)
}

// formatTime returns the local time in RFC 3339, or ifNil.
func formatTime(at *time.Time, ifNil string) string {
	if at == nil {
		return ifNil
	}
	return at.Local().Format(time.RFC3339)
}
