package sandbox

import (
	"errors"
	"slices"
	"strings"
)

// The names of the isolation layers in a Report.
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

// probedLayers are the layers that the first probe tests, in the order of reports. The
// memory layer has a probe of its own.
var probedLayers = []string{
	layerCapabilities, layerFiles, layerForks, layerLandlock, layerNetwork, layerProcesses, layerProfile, layerSeccomp, layerSockets, layerTemporary,
	layerUser,
}

// Layers returns the names of all isolation layers of level Full.
func Layers() []string { return append(slices.Clone(probedLayers), layerMemory) }

// A Layer is the test result of one isolation layer.
type Layer struct {
	Name string
	// Failure describes what the probe could do although the layer must prevent it; it
	// is empty if the layer holds.
	Failure string
}

// A Report contains the result of each tested layer.
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

// Names returns the names of the tested layers, separated by spaces.
func (r Report) Names() string {
	names := make([]string, len(r))
	for i, layer := range r {
		names[i] = layer.Name
	}
	return strings.Join(names, " ")
}

// Holds reports whether a layer was tested and holds.
func (r Report) Holds(name string) bool {
	return slices.Contains(r, Layer{Name: name})
}
