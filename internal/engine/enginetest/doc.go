// Package enginetest is the suite of tests that every engine passes. It knows
// engines by their interface only; its instances are real processes: the test
// program itself, started again.
package enginetest
