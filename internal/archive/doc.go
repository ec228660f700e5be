// Package archive unpacks the zip files that users upload. An archive is hostile
// until proven otherwise: its names, links, counts and sizes are all checked
// here. What the files in it mean is not known here; packages below runtime do.
package archive
