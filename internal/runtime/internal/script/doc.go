// Package script has the build steps that interpreted languages share: finding the file
// of the handler, checking its syntax, and writing code and bootstrap to the output.
package script
