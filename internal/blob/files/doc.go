// Package files implements package blob on local folders. Nothing outside of its
// folders can be reached by any name. One process at a time may use a folder.
package files
