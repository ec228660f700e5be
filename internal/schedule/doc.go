// Package schedule makes the calls that no client makes: of crons when they are due,
// and of triggers for each message of their sources. It calls functions through an
// http.Handler, which the gateway implements, and consumes messages through Brokers,
// which package broker implements.
package schedule
