package measure

import (
	"fmt"
	"math"
	"os"
)

// smokeVariable makes benchmarks run for seconds. It is a variable of the
// environment because benchmarks start themselves as other processes.
const smokeVariable = "JETON_BENCH_SMOKE"

// Smoke reports whether the benchmarks run only to see that they work.
func Smoke() bool { return os.Getenv(smokeVariable) != "" }

// Sized returns how much of something a benchmark does: full, or smoke where it
// runs only to see that it works.
func Sized[T any](full, smoke T) T {
	if Smoke() {
		return smoke
	}
	return full
}

// check returns an error that names the results that are no figures: a benchmark
// that measured nothing.
func check(results []Result) error {
	if len(results) == 0 {
		return fmt.Errorf("the benchmark has no results")
	}
	for _, r := range results {
		for _, figure := range []float64{r.Ours, r.Reference} {
			if math.IsNaN(figure) || math.IsInf(figure, 0) || figure < 0 {
				return fmt.Errorf("result %s: %v is no figure", r.ID, figure)
			}
		}
	}
	return nil
}
