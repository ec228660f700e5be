// Package cluster makes several nodes behave as one: membership, leases and fences, the
// barrier that holds an answer back until every node shows what it says, and the choice
// of the member that is the home of a function or the owner of other work. It does not
// forward calls, and it does not do the work.
package cluster
