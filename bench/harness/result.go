package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// ResultsFile is the file with the results of all benchmarks, relative to the root
// of the checkout.
const ResultsFile = "bench/results.json"

// A Result is one line of the results. Reference is the baseline, and Ratio is Ours
// divided by Reference.
type Result struct {
	ID        string  `json:"id"`
	Ours      float64 `json:"ours"`
	Reference float64 `json:"reference"`
	Ratio     float64 `json:"ratio"`
	Unit      string  `json:"unit"`
	Goal      string  `json:"goal"`
	Note      string  `json:"note"`
}

// Compare returns the result of comparing the medians of both sides.
func Compare(id, unit, goal, note string, ours, reference []float64) Result {
	o, r := Median(ours), Median(reference)
	ratio := 0.0 // JSON has no NaN. The reference is zero if there were too few rounds.
	if r != 0 {
		ratio = o / r
	}
	return Result{ID: id, Ours: o, Reference: r, Ratio: ratio, Unit: unit, Goal: goal, Note: note}
}

// CompareCosts returns the results of comparing the elapsed times and the CPU times of
// both sides, in a unit of time. The ID of the second has the suffix -cpu.
func CompareCosts(id, unit, goal, note string, sides [][]Cost) []Result {
	return []Result{
		Compare(id, unit, goal, note, Column(sides[0], Elapsed), Column(sides[1], Elapsed)),
		Compare(id+"-cpu", unit+" of CPU", goal, note, Column(sides[0], CPU), Column(sides[1], CPU)),
	}
}

// Print prints the results as a table.
func Print(out io.Writer, results []Result) {
	fmt.Fprintf(out, "%-22s %12s %12s %8s %-12s %-8s %s\n", "id", "ours", "reference", "ratio", "unit", "goal", "note")
	for _, r := range results {
		fmt.Fprintf(out, "%-22s %12.3f %12.3f %8.2f %-12s %-8s %s\n", r.ID, r.Ours, r.Reference, r.Ratio, r.Unit, r.Goal, r.Note)
	}
}

// Save writes the results to the file. They replace results with the same IDs; new
// ones are appended. The results of a smoke run are checked but not saved.
func Save(path string, results []Result) error {
	if err := check(results); err != nil || Smoke() {
		return err
	}
	var saved []Result
	content, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(content, &saved)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read results in %s: %w", path, err)
	}
	for _, r := range results {
		saved = replace(saved, r)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(file)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return errors.Join(encoder.Encode(saved), file.Close())
}

func replace(saved []Result, r Result) []Result {
	for i := range saved {
		if saved[i].ID == r.ID {
			saved[i] = r
			return saved
		}
	}
	return append(saved, r)
}

// check returns an error if there are no results, or if a figure is not a number.
func check(results []Result) error {
	if len(results) == 0 {
		return errors.New("the benchmark has no results")
	}
	for _, r := range results {
		for _, figure := range []float64{r.Ours, r.Reference} {
			if math.IsNaN(figure) || math.IsInf(figure, 0) || figure < 0 {
				return fmt.Errorf("result %s: %v is not a figure", r.ID, figure)
			}
		}
	}
	return nil
}
