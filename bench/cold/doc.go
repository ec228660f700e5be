// Package cold measures the first calls of functions that have no instance. It starts a
// server whose functions soon lose their instances, and has a function in each language.
package cold
