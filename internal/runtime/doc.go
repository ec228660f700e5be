// Package runtime has the catalogue of runtimes, finds the toolchains of this machine,
// and declares the input and the result of a build. Each language has a sub-package
// that builds its functions. Package engine runs the results.
package runtime
