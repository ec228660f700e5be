// Package tree copies, measures, cleans, syncs and removes folders with untrusted
// content, such as the result of a build or of a restored backup. It follows no symbolic
// links, opens each path name by name, and bounds depth, entries and bytes.
package tree
