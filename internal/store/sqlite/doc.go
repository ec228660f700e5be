// Package sqlite keeps the control plane's objects in one SQLite file, and
// numbers their changes. It knows nothing of the rules that the objects obey.
package sqlite
