package schedule

import "github.com/jeton-dev/jeton/internal/functions"

// A Delivery is how a delivery of a message ended.
type Delivery string

// The ends of deliveries.
const (
	// Taken by the function, with an answer below 300.
	Taken Delivery = "taken"
	// Again is not taken: there will be another try.
	Again Delivery = "again"
	// GivenUp is not taken by the last try.
	GivenUp Delivery = "given_up"
	// CutOff is by the end of the server: the broker delivers the message again.
	CutOff Delivery = "cut_off"
)

// An Observer watches the triggers.
type Observer interface {
	// Delivered is told how a delivery ended.
	Delivered(t functions.Trigger, d Delivery)
	// Consuming is told that a trigger has reached its broker, or that it has lost
	// it or is to consume no more.
	Consuming(t functions.Trigger, now bool)
}

func (t *Triggers) delivered(trigger functions.Trigger, d Delivery) {
	if t.Observer != nil {
		t.Observer.Delivered(trigger, d)
	}
}

func (t *Triggers) consuming(trigger functions.Trigger, now bool) {
	if t.Observer != nil {
		t.Observer.Consuming(trigger, now)
	}
}
