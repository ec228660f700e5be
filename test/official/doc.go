// Package official knows the official provider as far as its schema and its states
// go, for what proves that this one can take its place: the schema is written down
// from its code of August 2026, and states are written as that code writes them.
// It knows nothing of this provider.
package official
