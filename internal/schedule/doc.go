// Package schedule makes the calls that no client makes: those of crons. It
// knows when they are due; the gateway, which it calls as a client would, knows
// how to reach a function.
package schedule
