// Package launcher is the program in the container of a function: it waits for one order of the
// agent, starts the function, and reports its output and its end. It has no credentials, since the
// function runs with the same permissions.
package launcher
