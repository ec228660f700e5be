// Package tool runs the compilers and interpreters that builds need: in a clean
// environment, for a bounded time, with bounded output, and leaving no process
// behind. What to run is for the languages' packages to say.
package tool
