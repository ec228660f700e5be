// Package tree copies, measures, cleans and removes folders whose content is
// untrusted: a build made it, or a backup brings it. It follows no symbolic link,
// uses no path longer than one name, and bounds depth, entries and bytes.
package tree
