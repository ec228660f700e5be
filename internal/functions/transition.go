package functions

import "time"

// The transitions set a status and everything that depends on it. No other code
// sets the status of an object that keeps a message with it, so that no message
// outlives the status that it explains.

// StartDeployment asks for a deployment of Target. It supersedes a deployment
// that is under way.
func (f *Function) StartDeployment(now time.Time) {
	f.Generation++
	f.Status, f.ErrorMessage, f.BuildMessage = Pending, "", ""
	f.UpdatedAt = now
}

// MarkReady ends a deployment: calls go to the revision from now on.
func (f *Function) MarkReady(revision Revision, now time.Time) {
	f.Status, f.ErrorMessage, f.BuildMessage, f.Rebuild = Ready, "", "", false
	f.Revision = &revision
	if f.ReadyAt.IsZero() {
		f.ReadyAt = now
	}
	f.UpdatedAt = now
}

// Fail ends a deployment that failed. The revision that served before, if any,
// still serves.
func (f *Function) Fail(message string, now time.Time) {
	f.Status, f.ErrorMessage, f.BuildMessage = Failed, message, ""
	f.UpdatedAt = now
}

// MarkDeleting starts the deletion of a function.
func (f *Function) MarkDeleting(now time.Time) {
	f.Status, f.ErrorMessage, f.BuildMessage = Deleting, "", ""
	f.UpdatedAt = now
}

// MarkReady ends the creation of a trigger.
func (t *Trigger) MarkReady() { t.Status, t.ErrorMessage = Ready, "" }

// Fail ends the creation of a trigger that cannot consume messages.
func (t *Trigger) Fail(message string) { t.Status, t.ErrorMessage = Failed, message }

// MarkDeleting starts the deletion of a trigger.
func (t *Trigger) MarkDeleting() { t.Status, t.ErrorMessage = Deleting, "" }

// MarkReady ends the creation of a domain: its hostname leads to the function.
func (d *Domain) MarkReady() { d.Status, d.ErrorMessage = Ready, "" }

// Fail ends the creation of a domain that cannot serve.
func (d *Domain) Fail(message string) { d.Status, d.ErrorMessage = Failed, message }

// MarkDeleting starts the deletion of a domain.
func (d *Domain) MarkDeleting() { d.Status, d.ErrorMessage = Deleting, "" }
