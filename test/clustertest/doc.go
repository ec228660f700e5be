// Package clustertest runs the nodes of a cluster within a test, over one PostgreSQL
// database and one bucket. The nodes are servers in the process of the test, or processes
// that the test can kill and pause.
package clustertest
