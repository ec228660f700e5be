package sandbox

import (
	"errors"
	"strings"
)

// A Layer is one of the walls.
type Layer struct {
	Name string
	// Failure says in words what can be done that must not; it is empty where
	// the wall stands.
	Failure string
}

// A Report is what the probe found, a line for each layer.
type Report []Layer

// Err returns an error that names the layers that do not hold, or nil.
func (r Report) Err() error {
	var broken []string
	for _, layer := range r {
		if layer.Failure != "" {
			broken = append(broken, layer.Name+": "+layer.Failure)
		}
	}
	if len(broken) == 0 {
		return nil
	}
	return errors.New(strings.Join(broken, "; "))
}

// Names are the layers that were tested.
func (r Report) Names() string {
	names := make([]string, len(r))
	for i, layer := range r {
		names[i] = layer.Name
	}
	return strings.Join(names, " ")
}
