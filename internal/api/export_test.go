package api

import (
	"maps"
	"slices"
)

// Patterns are those of all endpoints that want a key.
func Patterns() []string { return slices.Sorted(maps.Keys((&API{}).endpoints())) }
