package measure

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// ResultsFile is where all benchmarks leave their results, seen from the
// checkout's root.
const ResultsFile = "bench/results.json"

// A Result is one line of the results. The ratio is ours to the reference's.
type Result struct {
	ID        string  `json:"id"`
	Ours      float64 `json:"ours"`
	Reference float64 `json:"reference"`
	Ratio     float64 `json:"ratio"`
	Unit      string  `json:"unit"`
	Goal      string  `json:"goal"`
	Note      string  `json:"note"`
}

// Compare makes a result of the medians of what both sides took.
func Compare(id, unit, goal, note string, ours, reference []float64) Result {
	o, r := Median(ours), Median(reference)
	ratio := 0.0 // JSON has no NaN; a reference of zero is one of too few rounds.
	if r != 0 {
		ratio = o / r
	}
	return Result{ID: id, Ours: o, Reference: r, Ratio: ratio, Unit: unit, Goal: goal, Note: note}
}

// Print prints the results as a table.
func Print(out io.Writer, results []Result) {
	fmt.Fprintf(out, "%-22s %12s %12s %8s %-12s %-8s %s\n", "id", "ours", "reference", "ratio", "unit", "goal", "note")
	for _, r := range results {
		fmt.Fprintf(out, "%-22s %12.3f %12.3f %8.2f %-12s %-8s %s\n", r.ID, r.Ours, r.Reference, r.Ratio, r.Unit, r.Goal, r.Note)
	}
}

// Keep puts the results into the file, in the places of those with the same
// IDs, or at the end. The results of a smoke run are checked, and not kept.
func Keep(path string, results []Result) error {
	if err := check(results); err != nil || Smoke() {
		return err
	}
	var kept []Result
	content, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(content, &kept)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("results in %s: %w", path, err)
	}
	for _, r := range results {
		kept = replace(kept, r)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(file)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return errors.Join(encoder.Encode(kept), file.Close())
}

func replace(kept []Result, r Result) []Result {
	for i := range kept {
		if kept[i].ID == r.ID {
			kept[i] = r
			return kept
		}
	}
	return append(kept, r)
}
