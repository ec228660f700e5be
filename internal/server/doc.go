// Package server wires one process together: it is the only package that knows
// all the others. It holds the configuration and its defaults, opens and
// closes everything in order, and decides nothing else.
package server
