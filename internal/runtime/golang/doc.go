// Package golang builds Go functions: it checks the module and the function that
// the handler names, puts a program around it, and compiles that. The program
// serves plain HTTP; there is no event and no context for Go.
package golang
