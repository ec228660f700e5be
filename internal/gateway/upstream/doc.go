// Package upstream owns the HTTP/1.1 connections to instances: it sends a
// request to the socket of one, and hands its answer back. Which instance that
// is, and for how long it may take, is decided elsewhere.
package upstream
