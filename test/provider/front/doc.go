// Package front is a recording proxy in front of a real server, for tests. It forwards
// requests and records them, and can replace answers by ones that the server would not
// give.
package front
