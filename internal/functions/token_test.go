package functions_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// describe returns the JSON of an object for comparison.
func describe(object any) string {
	encoded, err := json.Marshal(object)
	if err != nil {
		return err.Error()
	}
	return string(encoded)
}

func TestCreateToken_StoresOnlyDigest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.readyNamespace("tokens")
	f := w.newFunction(n, "f")
	past := start.Add(-time.Hour)
	issued := w.newToken(functions.CreateToken{FunctionID: f.ID, Description: "d", ExpiresAt: past})
	if issued.Status != functions.Creating || issued.PublicKey != "PEM" || issued.NamespaceID != "" || issued.FunctionID != f.ID {
		t.Errorf("got %+v", issued)
	}
	if text := "text of " + issued.ID + " by " + n.ID; issued.Text.Reveal() != text || issued.Digest != functions.DigestOf(text) {
		t.Errorf("the text is %q, want %q and its digest", issued.Text.Reveal(), text)
	}
	kept, err := w.Token(t.Context(), paris, issued.ID)
	if err != nil || describe(kept) != describe(issued.Token) {
		t.Errorf("stored is %s, %v", describe(kept), err)
	}
}

func TestCreateToken_RefusesInvalidRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.readyNamespace("rules")
	f := w.newFunction(n, "f")
	pending, err := w.CreateNamespace(t.Context(), paris, functions.CreateNamespace{Name: "pending"})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		create functions.CreateToken
		code   functions.Code
	}{
		"neither scope":        {functions.CreateToken{}, functions.InvalidArgument},
		"both scopes":          {functions.CreateToken{NamespaceID: n.ID, FunctionID: f.ID}, functions.InvalidArgument},
		"regional id":          {functions.CreateToken{FunctionID: "fr-par/" + f.ID}, functions.InvalidArgument},
		"unknown function":     {functions.CreateToken{FunctionID: n.ID}, functions.NotFound},
		"unknown namespace":    {functions.CreateToken{NamespaceID: f.ID}, functions.NotFound},
		"namespace has no key": {functions.CreateToken{NamespaceID: pending.ID}, functions.TransientState},
		"long description":     {functions.CreateToken{NamespaceID: n.ID, Description: strings.Repeat("x", 4097)}, functions.InvalidArgument},
	} {
		_, err := w.CreateToken(t.Context(), paris, test.create)
		if err == nil || functions.CodeOf(err) != test.code {
			t.Errorf("%s: got %v, want %s", name, err, test.code)
		}
	}
}

func TestDelete_RevokesTokensOfFunctionAndNamespace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.readyNamespace("cascade")
	f, other := w.newFunction(n, "f"), w.newFunction(n, "other")
	ofFunction := w.newToken(functions.CreateToken{FunctionID: f.ID})
	ofOther := w.newToken(functions.CreateToken{FunctionID: other.ID})
	ofNamespace := w.newToken(functions.CreateToken{NamespaceID: n.ID})
	revoked := map[string]bool{}
	if err := w.db.Follow(t.Context(), store.Position{}, store.Hook{OnChange: func(c store.Change) {
		if _, ok := c.Object.(functions.Token); ok {
			revoked[c.Object.ObjectID()] = c.Deleted
		}
	}}); err != nil {
		t.Fatal(err)
	}
	want := func(step string, function, sibling, namespace bool) {
		t.Helper()
		if revoked[ofFunction.ID] != function || revoked[ofOther.ID] != sibling || revoked[ofNamespace.ID] != namespace {
			t.Errorf("%s: revoked are %v", step, revoked)
		}
	}
	want("before", false, false, false)
	if f, err := w.DeleteFunction(t.Context(), paris, f.ID); err != nil || f.Status != functions.Deleting {
		t.Fatalf("%s, %v", f.Status, err)
	}
	want("after the function", true, false, false)
	if n, err := w.DeleteNamespace(t.Context(), paris, n.ID); err != nil || n.Status != functions.Deleting {
		t.Fatalf("%s, %v", n.Status, err)
	}
	want("after the namespace", true, true, true)
	left, err := w.Function(t.Context(), paris, other.ID)
	if err != nil || left.Status != functions.Deleting {
		t.Errorf("the function of the namespace is %s, %v, want deleting", left.Status, err)
	}
	_, err = w.CreateToken(t.Context(), paris, functions.CreateToken{FunctionID: other.ID})
	wantCode(t, err, functions.TransientState)
}

func TestDeleteToken_SecondCallFindsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	issued := w.newToken(functions.CreateToken{NamespaceID: w.readyNamespace("twice").ID})
	if deleted, err := w.DeleteToken(t.Context(), paris, issued.ID); err != nil || deleted.Status != functions.Deleting {
		t.Errorf("got %+v, %v", deleted, err)
	}
	_, err := w.DeleteToken(t.Context(), paris, issued.ID)
	wantCode(t, err, functions.NotFound)
	if err.Error() != "Token was not found" {
		t.Errorf("got %q, want the recorded text", err)
	}
}

func TestTokens_ListsOneScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.readyNamespace("list")
	f := w.newFunction(n, "f")
	ofFunction := w.newToken(functions.CreateToken{FunctionID: f.ID})
	ofNamespace := w.newToken(functions.CreateToken{NamespaceID: n.ID})
	for id, filter := range map[string]functions.Filter{
		ofFunction.ID: {FunctionID: f.ID}, ofNamespace.ID: {NamespaceID: n.ID},
	} {
		found, total, err := w.Tokens(t.Context(), paris, filter, functions.Page{})
		if err != nil || total != 1 || found[0].ID != id {
			t.Errorf("%+v lists %v of %d, %v, want %s", filter, found, total, err, id)
		}
	}
	_, _, err := w.Tokens(t.Context(), paris, functions.Filter{}, functions.Page{})
	wantCode(t, err, functions.InvalidArgument)
}

func TestCreateToken_DropsFractionsOfSeconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.readyNamespace("tokens")
	issued := w.newToken(functions.CreateToken{NamespaceID: n.ID, ExpiresAt: start.Add(time.Hour + 999*time.Millisecond)})
	if want := start.Add(time.Hour); !issued.ExpiresAt.Equal(want) {
		t.Errorf("the token expires at %s, want %s", issued.ExpiresAt, want)
	}
	if unlimited := w.newToken(functions.CreateToken{NamespaceID: n.ID}); !unlimited.ExpiresAt.IsZero() {
		t.Errorf("a token without expiry expires at %s", unlimited.ExpiresAt)
	}
}
