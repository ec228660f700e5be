// Package rust builds Rust functions: it generates a crate with a main function that
// serves a function of the author's library crate, and compiles it with cargo. Build
// scripts of the author's crates run during the compilation; package tool isolates them.
package rust
