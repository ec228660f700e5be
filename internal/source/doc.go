// Package source reads the source code of functions in a folder of the developer: which
// language it has, which files belong to it, and when they change. It packs them into an
// archive. It does not connect to a server.
package source
