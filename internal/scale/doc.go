// Package scale decides how many instances of a revision run: it gives each call
// an idle instance, keeps calls that find none in a bounded queue, and requests
// instances of the engine according to the queue, the limits and idle times. The
// engine runs instances (package engine); package upstream sends calls to them.
package scale
