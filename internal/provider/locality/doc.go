// Package locality is the provider functions that build IDs from a region and a UUID, and
// take IDs apart.
package locality
