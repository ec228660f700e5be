// Package spelling compares values that are equal but written differently: "" and null, a
// UUID and a regional ID, times in two time zones, a secret and its hash. The states of the
// official provider contain all of these, and a plan must not show them as changes. The
// package contains nothing about single resources.
package spelling
