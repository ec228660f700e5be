package functions

// Status is the status of an object.
type Status string

// The statuses. Creating, Pending and Deleting are transient: the reconciler works on
// the object and changes the status without a further call.
const (
	Created  Status = "created"
	Creating Status = "creating"
	Pending  Status = "pending"
	Ready    Status = "ready"
	Failed   Status = "error"
	Deleting Status = "deleting"
)

// Transient reports whether the status changes without a further call.
func (s Status) Transient() bool {
	return s == Creating || s == Pending || s == Deleting
}
