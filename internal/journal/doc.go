// Package journal appends lines to files of bounded size and number, and reads and
// follows these files. It does not interpret the lines.
package journal
