// Package parcel writes a folder as a tar archive and reads it again. Reading does not trust the
// archive: nothing is created outside of the folder, and size and number of entries are bounded.
package parcel
