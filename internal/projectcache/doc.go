// Package projectcache keeps a folder for each project with its downloaded and compiled
// packages, so that later builds are faster. Projects never share a folder, since one
// build could put files there that another one runs. The sizes are bounded: the least
// recently used folders are removed first.
package projectcache
