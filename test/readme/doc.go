// Package readme tests the commands of the README.
package readme
