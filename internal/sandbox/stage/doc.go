// Package stage owns the process that builds the walls of a sandbox around itself,
// from inside, and becomes the program: what it does, and how the server tells it
// what. What walls there are to be is the sandbox's to say. It imports as little
// as it can: each stage sets all of that up before its turn comes, and what else
// the program is made of not at all.
package stage
