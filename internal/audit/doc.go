// Package audit logs changes of the control plane, and refused requests, with their
// callers: one JSON object per line, in a file of bounded size. It also reads the file.
package audit
