// Package crates serves the crates of a folder, such as that of fetch.sh, as a registry of cargo.
package crates
