package main

import (
	"math/rand/v2"
	"testing"
)

func TestHistory_Linearizable(t *testing.T) {
	t.Parallel()
	created, deleted := interval{10, 20}, interval{100, 110}
	for name, test := range map[string]struct {
		uses []use
		want bool
	}{
		"no calls":                            {nil, true},
		"admitted between":                    {[]use{{30, 40, true}}, true},
		"refused before and after":            {[]use{{1, 5, false}, {120, 130, false}}, true},
		"admitted during the creation":        {[]use{{5, 15, true}}, true},
		"admitted during the deletion":        {[]use{{105, 120, true}}, true},
		"refused during the deletion":         {[]use{{102, 104, false}}, true},
		"refused during the creation":         {[]use{{12, 14, false}}, true},
		"admitted before the creation":        {[]use{{1, 9, true}}, false},
		"admitted after the deletion":         {[]use{{111, 120, true}}, false},
		"refused between":                     {[]use{{30, 40, false}}, false},
		"admitted after a refusal":            {[]use{{102, 103, false}, {104, 106, true}}, false},
		"refused after it was admitted":       {[]use{{11, 12, true}, {13, 14, false}}, false},
		"refused and admitted, overlapping":   {[]use{{102, 105, false}, {104, 106, true}}, true},
		"refused twice, admitted in between":  {[]use{{12, 13, false}, {50, 51, true}, {101, 102, false}}, true},
		"a long refused call over everything": {[]use{{1, 200, false}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := history{created: created, delete: deleted, uses: test.uses}
			if got := h.linearizable(); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// The checker is compared with a search over all pairs of instants.
func TestHistory_LinearizableAgreesWithSearch(t *testing.T) {
	t.Parallel()
	const end = 12
	span := func() (int64, int64) {
		a, b := rand.Int64N(end), rand.Int64N(end)
		return min(a, b), max(a, b) + 1
	}
	linearizable := 0
	for range 20_000 {
		var h history
		h.created.sent, h.created.answered = span()
		h.delete.sent, h.delete.answered = span()
		for range rand.IntN(4) {
			sent, answered := span()
			h.uses = append(h.uses, use{sent, answered, rand.IntN(2) == 0})
		}
		got, want := h.linearizable(), search(&h)
		if got != want {
			t.Fatalf("got %v, want %v for creation %v, deletion %v, calls %v", got, want, h.created, h.delete, h.uses)
		}
		if got {
			linearizable++
		}
	}
	if linearizable < 1000 || linearizable > 19_000 {
		t.Errorf("%d of 20000 histories are linearizable, want some of each", linearizable)
	}
}

// search tries all instants. Times are even, so that there are instants between them.
func search(h *history) bool {
	for c := 2 * h.created.sent; c <= 2*h.created.answered; c++ {
		for d := max(c, 2*h.delete.sent); d <= 2*h.delete.answered; d++ {
			fits := true
			for _, u := range h.uses {
				from, to := 2*u.sent, 2*u.answered
				if u.admitted {
					fits = fits && to >= c && from <= d
				} else {
					fits = fits && (from < c || to >= d)
				}
			}
			if fits {
				return true
			}
		}
	}
	return false
}

func TestHistory_Regular(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		uses []use
		want bool
	}{
		"admitted between, refused outside": {[]use{{30, 40, true}, {1, 5, false}, {120, 130, false}}, true},
		"nodes differ during the deletion":  {[]use{{102, 103, false}, {104, 106, true}}, true},
		"admitted after the answer":         {[]use{{111, 120, true}}, false},
		"sent before the answer":            {[]use{{109, 120, true}}, true},
		"admitted before the creation":      {[]use{{1, 9, true}}, false},
		"refused between":                   {[]use{{30, 40, false}}, false},
		"refused as the deletion begins":    {[]use{{30, 101, false}}, true},
	} {
		h := history{created: interval{10, 20}, delete: interval{100, 110}, uses: test.uses}
		if got := h.regular(); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}
