// Package harness is shared by the benchmark programs. It runs a program and its
// helper processes, starts the real server, deploys functions, alternates the sides
// of a comparison in rounds, measures CPU time and memory, and writes the results.
//
// Every benchmark compares Jeton with a baseline in the same run, because times by
// themselves mean nothing on a shared machine.
package harness
