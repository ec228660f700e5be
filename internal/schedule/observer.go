package schedule

import "github.com/jeton-dev/jeton/internal/functions"

// A Delivery is how the delivery of a message to a function ended.
type Delivery string

// The results of deliveries.
const (
	// Taken: the function answered with a status from 200 to 299.
	Taken Delivery = "taken"
	// Again: the function failed, and the message will be delivered again.
	Again Delivery = "again"
	// GivenUp: the function failed at the last delivery of the message.
	GivenUp Delivery = "given_up"
	// CutOff: the server stopped, or another node became the owner of the function. The
	// broker delivers the message again.
	CutOff Delivery = "cut_off"
)

// An Observer is notified of what triggers do. Its methods are called concurrently.
type Observer interface {
	// Delivered is called after each delivery.
	Delivered(t functions.Trigger, d Delivery)
	// Consuming is called with true when a trigger is connected to its broker, and
	// with false when that connection has ended.
	Consuming(t functions.Trigger, now bool)
}

// noObserver ignores all notifications.
type noObserver struct{}

func (noObserver) Delivered(functions.Trigger, Delivery) {}
func (noObserver) Consuming(functions.Trigger, bool)     {}
