// Package launcher implements the sandbox launcher: a process that sets up the
// isolation layers around itself, as the server's Config describes them, and then
// executes the program of an Order. Importing the package is enough: its init function
// runs the launcher when the program is started under Name. It imports as little as
// possible, because each launcher initializes these imports before it starts.
package launcher
