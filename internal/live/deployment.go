package live

import (
	"slices"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// A Deployment is one deployment of a function that this server has seen since it started.
type Deployment struct {
	// Generation numbers the deployments of a function.
	Generation int64
	// Code is the digest of the archive.
	Code     string
	Began    time.Time
	Duration time.Duration
	// Status is pending, ready or error; created if a later deployment superseded it.
	Status functions.Status
	// Message is the error message, or the progress.
	Message string
}

// keptDeployments is the number of deployments that are kept of each function.
const keptDeployments = 10

// noteDeployment records the progress of the current deployment. The caller holds v.mu.
func (v *View) noteDeployment(f functions.Function, at time.Time) {
	before, known := v.functions[f.ID]
	started := f.Status == functions.Pending && (!known || before.Generation != f.Generation || before.Status != functions.Pending)
	all := v.deployments[f.ID]
	switch {
	case started:
		if last := len(all) - 1; last >= 0 && all[last].Status == functions.Pending {
			all[last].Status, all[last].Message, all[last].Duration = functions.Created, "superseded", at.Sub(all[last].Began)
		}
		all = append(all, Deployment{Generation: f.Generation, Code: f.Target, Began: at, Status: f.Status})
		v.deployments[f.ID] = slices.Clone(all[max(0, len(all)-keptDeployments):])
	case len(all) == 0 || all[len(all)-1].Generation != f.Generation || all[len(all)-1].Status != functions.Pending:
	default:
		last := &all[len(all)-1]
		last.Message = shorten(f.BuildMessage)
		last.Duration = at.Sub(last.Began)
		if f.Status != functions.Pending {
			last.Status, last.Message = f.Status, shorten(f.ErrorMessage)
		}
	}
}

// Deployments returns the latest deployments of a function, newest first.
func (v *View) Deployments(functionID string) []Deployment {
	v.mu.RLock()
	defer v.mu.RUnlock()
	all := slices.Clone(v.deployments[functionID])
	slices.Reverse(all)
	return all
}
