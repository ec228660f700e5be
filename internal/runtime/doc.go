// Package runtime owns the catalogue of runtimes, the form of a handler's name,
// the toolchains of this machine, and what a build is given and gives. How each
// language's source becomes something that runs is its sub-packages' own; what
// runs it is package engine's.
package runtime
