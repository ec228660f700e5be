// Package readme runs what the README tells its readers to type.
package readme
