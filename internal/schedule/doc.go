// Package schedule makes the calls that no client makes: those of crons, when
// they are due, and those of triggers, with each message of a queue. The
// gateway, which it calls as a client would, knows how to reach a function;
// package broker knows how to speak to those who keep the messages.
package schedule
