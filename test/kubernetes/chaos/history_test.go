package chaos_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/test/kubernetes/chaos"
)

// at returns an instant, in milliseconds.
func at(ms int) time.Time { return time.UnixMilli(int64(1_000_000 + ms)) }

// TestHistory_FindsWrongDecisions shows that each check can fail.
func TestHistory_FindsWrongDecisions(t *testing.T) {
	t.Parallel()
	valid := &chaos.Token{Created: at(0)}
	revoked := &chaos.Token{Created: at(0), Revoking: at(100), Revoked: at(200)}
	expired := &chaos.Token{Created: at(0), Expires: at(200)}
	for name, test := range map[string]struct {
		call             chaos.Call
		admitted, denied int
	}{
		"valid, answered":              {chaos.Call{Token: valid, Sent: at(1), Answered: at(2), Status: 200}, 0, 0},
		"valid, denied":                {chaos.Call{Token: valid, Sent: at(1), Answered: at(2), Status: 403}, 0, 1},
		"valid, failed":                {chaos.Call{Token: valid, Sent: at(1), Answered: at(2), Status: 502}, 0, 0},
		"before the deletion, denied":  {chaos.Call{Token: revoked, Sent: at(1), Answered: at(99), Status: 403}, 0, 1},
		"during the deletion, denied":  {chaos.Call{Token: revoked, Sent: at(99), Answered: at(150), Status: 403}, 0, 0},
		"during the deletion, 200":     {chaos.Call{Token: revoked, Sent: at(150), Answered: at(300), Status: 200}, 0, 0},
		"revoked, denied":              {chaos.Call{Token: revoked, Sent: at(201), Answered: at(202), Status: 403}, 0, 0},
		"revoked, answered":            {chaos.Call{Token: revoked, Sent: at(201), Answered: at(202), Status: 200}, 1, 0},
		"revoked, reached an instance": {chaos.Call{Token: revoked, Sent: at(201), Answered: at(202), Status: 502}, 1, 0},
		"revoked, unavailable":         {chaos.Call{Token: revoked, Sent: at(201), Answered: at(202), Status: 503}, 0, 0},
		"revoked, no answer":           {chaos.Call{Token: revoked, Sent: at(201), Answered: at(202)}, 0, 0},
		"expired, answered":            {chaos.Call{Token: expired, Sent: at(201), Answered: at(202), Status: 200}, 1, 0},
		"before the expiry, denied":    {chaos.Call{Token: expired, Sent: at(1), Answered: at(199), Status: 403}, 0, 1},
		"around the expiry, denied":    {chaos.Call{Token: expired, Sent: at(199), Answered: at(201), Status: 403}, 0, 0},
	} {
		var h chaos.History
		h.Add(test.call)
		if admitted, denied := len(h.WronglyAdmitted()), len(h.WronglyDenied()); admitted != test.admitted || denied != test.denied {
			t.Errorf("%s: %d wrongly admitted, %d wrongly denied, want %d and %d", name, admitted, denied, test.admitted, test.denied)
		}
		if row := h.Row(chaos.Phase{Name: name, Begun: at(0), Over: at(1000)}); strings.HasSuffix(row, " 1") != (test.admitted == 1) {
			t.Errorf("%s: the row is %q", name, row)
		}
	}
}

func TestHistory_CountsPodsThatServeAtOnce(t *testing.T) {
	t.Parallel()
	var h chaos.History
	h.AddPod("a", "node1")
	h.AddPod("b", "node1")
	h.AddPod("c", "node2")
	for _, c := range []chaos.Call{
		{Pod: "a", Began: at(0), Ended: at(10)},
		{Pod: "a", Began: at(10), Ended: at(20)},
		{Pod: "b", Began: at(5), Ended: at(15)},
		{Pod: "c", Began: at(5), Ended: at(15)},
		{Began: at(5), Ended: at(15)},
	} {
		h.Add(c)
	}
	if most := h.MostAtOnce(); most["node1"] != 2 || most["node2"] != 1 || len(most) != 2 {
		t.Errorf("MostAtOnce() = %v, want 2 and 1", most)
	}
	h.Add(chaos.Call{Pod: "b", Began: at(12), Ended: at(13)})
	h.Add(chaos.Call{Pod: "d", Began: at(12), Ended: at(13)})
	if most := h.MostAtOnce(); most["node1"] != 3 || most[""] != 1 {
		t.Errorf("MostAtOnce() = %v, want 3 for node1 and 1 without a node", most)
	}
}

func TestLedger_FindsLostChanges(t *testing.T) {
	t.Parallel()
	var l chaos.Ledger
	l.Set("kept", chaos.Exists)
	l.Set("gone", chaos.Exists)
	l.Set("gone", chaos.Deleted)
	l.Set("perhaps", chaos.Exists)
	l.Set("perhaps", chaos.Unknown)
	if l.Acknowledged != 4 || l.Unanswered != 1 {
		t.Errorf("%d changes were acknowledged and %d not answered, want 4 and 1", l.Acknowledged, l.Unanswered)
	}
	for list, want := range map[string]string{
		"kept":              "",
		"kept perhaps":      "",
		"":                  "kept was created and does not exist",
		"kept gone perhaps": "gone was deleted and exists",
	} {
		if got := strings.Join(l.Lost(strings.Fields(list)), ", "); got != want {
			t.Errorf("with the objects %q: got %q, want %q", list, got, want)
		}
	}
}
