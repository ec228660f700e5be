// Package script is what the builds of interpreted languages have in common: to
// find the handler's file in the source, to check its syntax, and to lay code and
// bootstrap out.
package script
