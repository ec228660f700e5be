// Package spelling decides whether two values are equivalent: "" and null, a bare
// and a regional id, the same instant in two time zones, a secret and its hash. The
// states of the official provider contain all of these, and a plan must not show a
// change between equivalent values. The package does not depend on any resource.
package spelling
