// Package archive unpacks the zip files that users upload. It treats every archive as
// hostile and checks names, links, counts and sizes. It does not interpret the files.
package archive
