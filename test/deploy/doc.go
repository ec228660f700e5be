// Package deploy has a client of the API deploy a function of some files, and
// waits for it. What is deployed, and whether it should be, is for the tests and
// benchmarks to say that need functions which run.
package deploy
