// Package guard refuses plans and applies of states that were written against another server.
//
// It marks each resource that is read from, created on or imported from a server with the ID of that server, in
// the private data of the resource. A resource with the mark of another server, and a resource
// without a mark that does not exist, are refused: the next apply would create everything
// again and forget the objects of the other server. The guard knows nothing about types.
package guard
