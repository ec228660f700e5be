// Package backup writes all that a server keeps into one file while it runs, and
// makes a data folder of such a file. It knows which files there are; what is in
// them is their owners' business.
package backup
