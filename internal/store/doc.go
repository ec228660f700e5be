// Package store declares how the control plane's objects are stored, and how
// other packages follow their changes. Package sqlite implements Store, and
// package storetest tests every implementation.
package store
