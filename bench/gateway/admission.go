package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/jeton-dev/jeton/bench/measure"
)

// benchmarkPattern matches a line of the Go benchmarks: name and nanoseconds.
var benchmarkPattern = regexp.MustCompile(`(?m)^Benchmark(\w+)/(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op`)

// measureAdmission runs the Go benchmarks of the decision alone, and returns
// medians in nanoseconds.
func measureAdmission(ctx context.Context) ([]measure.Result, error) {
	c := exec.CommandContext(ctx, "go", "test", "./internal/gateway", "-run=^$", "-bench=^Benchmark(Admission|Refusal)$",
		"-benchtime="+measure.Sized("1s", "10ms"), fmt.Sprint("-count=", measure.Sized(5, 1)))
	output, err := c.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("run the benchmarks of internal/gateway: %w\n%s", err, output)
	}
	return admissionResults(output)
}

// admissionResults reads the output of the benchmarks.
func admissionResults(output []byte) ([]measure.Result, error) {
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
			return nil, fmt.Errorf("the benchmarks print nothing of %s:\n%s", name, output)
		}
	}
	return []measure.Result{
		measure.Compare("admission", "ns", "< 1000", "one admission with a million tokens known; the reference is one with ten",
			took["Admission/1000000_tokens"], took["Admission/10_tokens"]),
		measure.Compare("refusal", "ns", "near 1", "one refusal of an unknown token; the reference is one of an expired token",
			took["Refusal/unknown"], took["Refusal/expired"]),
	}, nil
}
