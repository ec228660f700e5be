// Package engine declares what an instance is, one running copy of a revision
// that serves at a network address, and the interface of the engines that run
// instances: on this machine (package process) or elsewhere. Package scale
// decides how many instances there are; package upstream sends calls to them.
package engine
