// Package audit logs changes of the control plane, and refused requests, with their
// callers: one JSON object per line in a file of bounded size, or in a table that several
// servers share. It also reads the file and the table.
package audit
