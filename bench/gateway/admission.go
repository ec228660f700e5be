package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/jeton-dev/jeton/bench/harness"
)

// benchmarkPattern matches a line of go test -bench: the name and the nanoseconds.
var benchmarkPattern = regexp.MustCompile(`(?m)^Benchmark(\w+)/(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op`)

// measureAdmission runs the gateway's Go benchmarks of the decision on a call, and
// returns their medians in nanoseconds.
func measureAdmission(ctx context.Context) ([]harness.Result, error) {
	c := exec.CommandContext(ctx, "go", "test", "./internal/gateway", "-run=^$", "-bench=^Benchmark(Admission|Refusal)$",
		"-benchtime="+harness.Sized("1s", "10ms"), fmt.Sprint("-count=", harness.Sized(5, 1)))
	output, err := c.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("run the benchmarks of internal/gateway: %w\n%s", err, output)
	}
	return admissionResults(output)
}

// admissionResults parses the output of the benchmarks.
func admissionResults(output []byte) ([]harness.Result, error) {
	took := map[string][]float64{}
	for _, match := range benchmarkPattern.FindAllSubmatch(output, -1) {
		nanoseconds, err := strconv.ParseFloat(string(match[3]), 64)
		if err != nil {
			return nil, err
		}
		name := string(match[1]) + "/" + string(match[2])
		took[name] = append(took[name], nanoseconds)
	}
	for _, name := range []string{"Admission/1000000_tokens", "Admission/10_tokens", "Refusal/unknown", "Refusal/expired"} {
		if len(took[name]) == 0 {
			return nil, fmt.Errorf("no result of Benchmark%s in:\n%s", name, output)
		}
	}
	return []harness.Result{
		harness.Compare("admission", "ns", "< 1000", "one admission with a million tokens; the reference is one with ten",
			took["Admission/1000000_tokens"], took["Admission/10_tokens"]),
		harness.Compare("refusal", "ns", "near 1", "one refusal of an unknown token; the reference is one of an expired token",
			took["Refusal/unknown"], took["Refusal/expired"]),
	}, nil
}
