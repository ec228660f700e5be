package sandbox

import (
	"errors"
	"slices"
	"strings"
)

// The layers, by their names in a Report.
const (
	layerCapabilities = "capabilities"
	layerFiles        = "files"
	layerForks        = "forks"
	layerLandlock     = "landlock"
	layerMemory       = "memory"
	layerNetwork      = "network"
	layerProcesses    = "processes"
	layerProfile      = "profile"
	layerSeccomp      = "seccomp"
	layerSockets      = "sockets"
	layerTemporary    = "temporary"
	layerUser         = "user"
)

// walls are the layers that one probe tries, in the order of reports.
var walls = []string{
	layerCapabilities, layerFiles, layerForks, layerLandlock, layerNetwork, layerProcesses, layerProfile, layerSeccomp, layerSockets, layerTemporary,
	layerUser,
}

// Layers are the names of all layers of the highest level.
func Layers() []string { return append(slices.Clone(walls), layerMemory) }

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

// Holds tells whether a layer was found to stand.
func (r Report) Holds(name string) bool {
	return slices.Contains(r, Layer{Name: name})
}
