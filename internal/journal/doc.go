// Package journal appends lines to files that are kept within bounds, and reads and
// follows them. What a line says is for others to say.
package journal
