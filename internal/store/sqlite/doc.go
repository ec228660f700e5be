// Package sqlite implements store.Store with one SQLite file. It does not contain the
// rules of the objects.
package sqlite
