// Package audit writes down who has changed what at the control plane, and who
// was refused: one line of JSON each, appended to a file that is kept within
// bounds. It reads that file, too.
package audit
