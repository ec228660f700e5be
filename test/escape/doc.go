// Package escape has programs that try to get out of where functions run, one in
// each language, and the run that deploys and calls them. What their attempts must
// come to is for its users to say.
package escape
