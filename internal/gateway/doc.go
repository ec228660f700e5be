// Package gateway is the way in: it finds the function by host, admits the
// call or refuses it, waits for an instance, and forwards. It follows the
// control plane's changes and never asks it, nor a database, for anything
// while a call is waiting.
package gateway
