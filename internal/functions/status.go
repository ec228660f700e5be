package functions

// Status is the state of an object.
type Status string

// The states. Creating, Pending and Deleting are transient: somebody is
// working on the object and it will leave the state without a further call.
const (
	Created  Status = "created"
	Creating Status = "creating"
	Pending  Status = "pending"
	Ready    Status = "ready"
	Failed   Status = "error"
	Deleting Status = "deleting"
)

// Transient tells whether the state passes by itself.
func (s Status) Transient() bool {
	return s == Creating || s == Pending || s == Deleting
}
