// Package front stands in front of a real server in tests: it passes requests
// on, remembers them, and can give another answer where a test needs one that
// the server has no reason to give. It knows nothing of what the requests mean.
package front
