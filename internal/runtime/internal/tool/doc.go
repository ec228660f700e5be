// Package tool runs the compilers and interpreters of builds: with an empty environment,
// limited time and limited output, optionally in a sandbox, and leaves no process
// running. The packages of the languages decide what to run.
package tool
