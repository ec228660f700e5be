// Package volume gives builds a file system of a bounded size of their own: an image
// file that is mounted. What does not fit does not reach the disk of the server.
package volume
