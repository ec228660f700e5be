// Package spelling owns the question whether two spellings say the same: "" and
// null, a bare id and a regional one, two time zones of one instant, a secret
// and its hash. The official provider left all of these in its users' states,
// and a plan must not change what only looks different. It knows no resource.
package spelling
