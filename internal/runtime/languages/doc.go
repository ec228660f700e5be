// Package languages lists the builders and interpreters of all languages. It does not build or start
// anything itself.
package languages
