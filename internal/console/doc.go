// Package console serves the web console below /console: its files, which are part of the
// program, and the API for browsers with a session. It signs in with an API key, keeps the
// session in a sealed cookie, and passes each request of a session to the API as the owner
// of that key. It has no state and no rules of its own: the API checks every permission.
package console
