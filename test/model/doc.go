// Package model is a simple model of the API: lists in memory, with the documented
// rules. The tests make the same random calls to the server and to the model, and
// compare the responses. The model shares no code with the server.
package model
