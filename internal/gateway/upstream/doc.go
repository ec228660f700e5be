// Package upstream sends requests to instances over pooled HTTP/1.1 connections,
// by unix sockets or TCP. The caller chooses the instance and bounds the time.
package upstream
