// Package functions is the service itself: namespaces, functions and tokens,
// the rules that hold for them, and the states that they go through. It knows
// no HTTP, no SQL and no clock of its own; what it needs of the world it
// declares as small interfaces, which other packages implement.
package functions
