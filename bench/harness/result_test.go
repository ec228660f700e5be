package harness_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/bench/harness"
)

func TestSave_ReplacesResultsWithTheSameID(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	for _, results := range [][]harness.Result{{{ID: "a", Ours: 2}, {ID: "b", Ours: 1}}, {{ID: "a", Ours: 9}}} {
		if err := harness.Save(path, results); err != nil {
			t.Fatal(err)
		}
	}
	saved, err := os.ReadFile(path)
	if err != nil || strings.Count(string(saved), `"id": "a"`) != 1 || strings.Index(string(saved), `"ours": 9`) > strings.Index(string(saved), `"id": "b"`) {
		t.Errorf("got %s, error %v", saved, err)
	}
	t.Setenv("JETON_BENCH_SMOKE", "1")
	if err := harness.Save(path, []harness.Result{{ID: "smoke"}}); err != nil {
		t.Error(err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(saved) {
		t.Error("the results of a smoke run are saved")
	}
	if err := harness.Save(path, nil); err == nil {
		t.Error("a smoke run without results: got no error")
	}
	if n := harness.Sized(1000, 3); n != 3 {
		t.Errorf("size of a smoke run: got %d, want 3", n)
	}
}

func TestSave_RefusesWhatIsNotAFigure(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string][]harness.Result{
		"no results": nil, "NaN": {{ID: "x", Ours: math.NaN()}}, "infinity": {{ID: "x", Reference: math.Inf(1)}}, "negative": {{ID: "x", Ours: -1}},
	} {
		if err := harness.Save(filepath.Join(t.TempDir(), "results.json"), bad); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestCompare_UsesMedians(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ours, reference []float64
		want            harness.Result
	}{
		"two sides":        {[]float64{3, 1, 2}, []float64{4}, harness.Result{ID: "a", Ours: 2, Reference: 4, Ratio: 0.5}},
		"a zero reference": {[]float64{1}, []float64{0}, harness.Result{ID: "a", Ours: 1}},
	} {
		if got := harness.Compare("a", "", "", "", test.ours, test.reference); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestRounds_AlternateSides(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		run     func(n int, sides ...func() (int, error)) ([][]int, error)
		samples [][]int
		calls   []string
	}{
		"rounds":      {harness.Rounds[int], [][]int{{1, 3}, {2, 4}}, []string{"a", "b", "a", "b"}},
		"warm rounds": {harness.WarmRounds[int], [][]int{{3, 5}, {4, 6}}, []string{"a", "b", "a", "b", "a", "b"}},
	} {
		var calls []string
		side := func(name string) func() (int, error) {
			return func() (int, error) { calls = append(calls, name); return len(calls), nil }
		}
		got, err := test.run(2, side("a"), side("b"))
		if err != nil || !slices.EqualFunc(got, test.samples, slices.Equal[[]int]) || !slices.Equal(calls, test.calls) {
			t.Errorf("%s: got %v, calls %v, error %v", name, got, calls, err)
		}
		failure := errors.New("failure")
		if _, err := test.run(2, side("a"), func() (int, error) { return 0, failure }); !errors.Is(err, failure) {
			t.Errorf("%s: got error %v, want %v", name, err, failure)
		}
	}
}
