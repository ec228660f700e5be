// Package rust builds Rust functions: it puts a program around the library that
// Cargo.toml describes, which serves its function with axum's own parts, and has
// cargo compile it. What the function's crates do while they are compiled, cargo
// runs: see tool.Command for what keeps that in.
package rust
