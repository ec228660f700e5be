package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/server"
)

// callAdmin calls the admin socket of the running server that uses dataDir. Errors of call
// begin with action. Only the server writes its database, so the command needs a running
// server.
func callAdmin[T any](dataDir, action string, call func(*admin.Client) (T, error)) (T, error) {
	endpoints, serving := server.Reach(dataDir)
	if !serving {
		var none T
		return none, fmt.Errorf("%s: no server uses %s: start 'jeton serve' first, or set --data-dir", action, dataDir)
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
