// Package official describes the schema and the states of the official provider, for
// tests that replace it by this one. The schema is from the official provider's source
// of August 2026, and the states are written as that source writes them. The package
// does not depend on this provider.
package official
