// Package server constructs one Jeton process from all other packages, and owns its
// configuration, defaults and lifetime. It contains no rules of its own.
package server
