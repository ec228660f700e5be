package guard_test

import (
	"encoding/json"
	"testing"

	"github.com/jeton-dev/jeton/internal/provider/guard"
)

func TestMarked_KeepsPrivateDataOfTheFramework(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		private string
		kept    map[string]string
	}{
		"nothing":                    {"", map[string]string{}},
		"data of the framework":      {`{"names":"WyJBIl0="}`, map[string]string{"names": `["A"]`}},
		"timeouts of the older SDK":  {`{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":300000000000}}`, map[string]string{}},
		"the mark of another server": {`{"jeton_server":"Im90aGVyIg=="}`, map[string]string{}},
	}
	for name, test := range tests {
		got, err := guard.Marked([]byte(test.private), "here")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if id := guard.Mark(got); id != "here" {
			t.Errorf("%s: got mark %q, want here", name, id)
		}
		var all map[string][]byte
		if err := json.Unmarshal(got, &all); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		delete(all, "jeton_server")
		if len(all) != len(test.kept) {
			t.Errorf("%s: got %d other keys, want %d", name, len(all), len(test.kept))
		}
		for key, want := range test.kept {
			if string(all[key]) != want {
				t.Errorf("%s: got %s = %s, want %s", name, key, all[key], want)
			}
		}
	}
}

func FuzzMark(f *testing.F) {
	f.Add([]byte(`{"jeton_server":"ImEi"}`))
	f.Fuzz(func(_ *testing.T, private []byte) {
		_ = guard.Mark(private)
		if marked, err := guard.Marked(private, "a"); err != nil || guard.Mark(marked) != "a" {
			panic("the mark is lost")
		}
	})
}
