package harness

import (
	"slices"
	"time"
)

// Rounds measures the sides of a comparison in turn, n times, so that a change of
// the machine's load affects all sides. It returns the samples of each side, in the
// order of the sides.
func Rounds[S any](n int, sides ...func() (S, error)) ([][]S, error) {
	samples := make([][]S, len(sides))
	for range n {
		for i, side := range sides {
			sample, err := side()
			if err != nil {
				return nil, err
			}
			samples[i] = append(samples[i], sample)
		}
	}
	return samples, nil
}

// WarmRounds is Rounds after one more round that warms all sides up and whose
// samples are dropped.
func WarmRounds[S any](n int, sides ...func() (S, error)) ([][]S, error) {
	samples, err := Rounds(n+1, sides...)
	for i := range samples {
		samples[i] = samples[i][1:]
	}
	return samples, err
}

// A Cost is the elapsed time and the CPU time of one side in one round.
type Cost struct{ Elapsed, CPU float64 }

// Elapsed returns the elapsed time of a cost.
func Elapsed(c Cost) float64 { return c.Elapsed }

// CPU returns the CPU time of a cost.
func CPU(c Cost) float64 { return c.CPU }

// Column returns one figure of each sample.
func Column[S any](samples []S, figure func(S) float64) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = figure(s)
	}
	return values
}

// Median returns the middle one of the values, of which there must be at least one.
func Median(values []float64) float64 { return Percentile(values, 50) }

// Percentile returns the p-th percentile of the values, of which there must be at
// least one.
func Percentile(values []float64, p int) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)*p/100]
}

// Milliseconds returns a duration in milliseconds, rounded down to microseconds.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
