// Package backup writes the data folder of a server, which may be running, to one file,
// and restores a data folder from such a file.
package backup
