// Package admin is how the owner of a data folder says who may call: projects
// and their API keys. It listens on a unix socket that only the owner of the
// folder can open, and asks for no key. Its client is the command line.
package admin
