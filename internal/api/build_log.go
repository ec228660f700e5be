package api

import (
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// A BuildLog is the log of the latest build of a function. The log of a running build is its
// beginning.
type BuildLog struct {
	// StartedAt identifies the build.
	StartedAt time.Time `json:"started_at"`
	Log       string    `json:"log"`
}

// buildLog returns the log of the latest build of a function.
func (a *API) buildLog(r *http.Request, scope functions.Scope) (any, error) {
	f, err := a.functionInPath(r, scope)
	if err != nil {
		return nil, err
	}
	log, ok, err := a.config.Logs.Build(f.ID)
	if err == nil && !ok {
		err = functions.NotFoundError("Build log of the function", f.ID)
	}
	return log, err
}
