// Package projectcache gives each project a folder for what makes its builds quick:
// downloads and compiled packages. No two projects share one, for what a build leaves
// there the next one uses. The folders are bounded; those used least recently are
// removed first.
package projectcache
