// Command kubernetes is `make bench-kubernetes`. It measures functions in Pods: first calls,
// bursts, calls, and what idle functions cost. It runs as root in the test cluster, whose node
// is this machine, and compares with the process engine and with bare Pods there.
package main

import (
	"github.com/jeton-dev/jeton/bench/cold"
	"github.com/jeton-dev/jeton/bench/harness"
)

func main() {
	var parts []harness.Part
	// A smoke run leaves out the languages that start like the first one.
	for _, l := range harness.Sized(cold.Languages, cold.Languages[:1]) {
		parts = append(parts, harness.Part{Name: "cold-" + l.Name, Run: inNamespace(coldStart(l))})
	}
	harness.Program{
		Name: "bench-kubernetes",
		Parts: append(parts, []harness.Part{
			{Name: "new-pod", Run: inNamespace(newPods)},
			{Name: "burst", Run: inNamespace(bursts)},
			{Name: "call", Run: inNamespace(calls)},
			{Name: "idle", Run: inNamespace(idleThousand)},
		}...),
		Roles: map[string]func([]string) error{harness.ProxyRole: harness.RunProxy},
	}.Main()
}
