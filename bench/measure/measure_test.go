package measure_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/bench/measure"
)

func TestKeep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	a := measure.Compare("a", "ms", "", "", []float64{3, 1, 2}, []float64{4})
	if a.Ours != 2 || a.Ratio != 0.5 {
		t.Errorf("%+v", a)
	}
	for name, bad := range map[string][]measure.Result{
		"none": nil, "no number": {{ID: "x", Ours: math.NaN()}}, "no bound": {{ID: "x", Reference: math.Inf(1)}},
	} {
		if err := measure.Keep(path, bad); err == nil {
			t.Errorf("%s: it is kept", name)
		}
	}
	for _, results := range [][]measure.Result{{a, {ID: "b", Ours: 1}}, {{ID: "a", Ours: 9}}} {
		if err := measure.Keep(path, results); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil || strings.Count(string(kept), `"id": "a"`) != 1 || strings.Index(string(kept), `"ours": 9`) > strings.Index(string(kept), `"id": "b"`) {
		t.Errorf("%s, %v", kept, err)
	}
	t.Setenv("JETON_BENCH_SMOKE", "1")
	if err := measure.Keep(path, []measure.Result{{ID: "smoke"}}); err != nil {
		t.Error(err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(kept) {
		t.Error("the results of a smoke run are kept")
	}
	if err := measure.Keep(path, nil); err == nil {
		t.Error("a smoke run without results passes")
	}
	if n := measure.Sized(1000, 3); n != 3 {
		t.Errorf("a smoke run is of size %d", n)
	}
}
