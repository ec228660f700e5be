package provider_test

import (
	"net/http"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// A refresh of many tokens lists them, and finds the same differences as a read of each
// token.
func TestRefresh_ListsManyTokens(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, `
resource "scaleway_function_namespace" "main" {}
resource "scaleway_function_token" "many" {
  count        = 130
  namespace_id = scaleway_function_namespace.main.id
}
`)
	c.apply()
	w.front.Forget()
	if output, status := c.run("plan", "-no-color", "-detailed-exitcode"); status != 0 {
		t.Fatalf("plan: got exit status %d:\n%s", status, output)
	}
	single := len(w.front.Requests(http.MethodGet, "/tokens/.+"))
	lists := len(w.front.Requests(http.MethodGet, "/tokens$"))
	// A list has two pages. On a slow machine a list expires and is fetched again.
	if single == 0 || single > 20 || lists < 2 || lists > 20 {
		t.Errorf("refresh of 130 tokens: got %d reads and %d lists", single, lists)
	}

	api := function.NewAPI(w.Client())
	_, revoked, _ := strings.Cut(c.attribute("scaleway_function_token.many[129]", "id"), "/")
	if _, err := api.DeleteToken(&function.DeleteTokenRequest{TokenID: revoked}); err != nil {
		t.Fatal(err)
	}
	if output := c.must("plan", "-no-color"); !strings.Contains(output, "1 to add, 0 to change, 0 to destroy") {
		t.Errorf("the plan does not create the revoked token again:\n%.3000s", output)
	}
	c.destroy()
}

// A key that may read tokens but not list them reads each token.
func TestRefresh_WithoutPermissionToList(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, `
resource "scaleway_function_namespace" "main" {}
resource "scaleway_function_token" "many" {
  count        = 20
  namespace_id = scaleway_function_namespace.main.id
}
`)
	c.apply()
	w.front.Forget()
	w.front.Answer(1, http.MethodGet, "/tokens$", http.StatusForbidden, `{"message":"insufficient permissions","type":"permissions_denied","details":[]}`)
	if output, status := c.run("plan", "-no-color", "-detailed-exitcode"); status != 0 {
		t.Fatalf("plan: got exit status %d:\n%s", status, output)
	}
	if single := len(w.front.Requests(http.MethodGet, "/tokens/.+")); single != 20 {
		t.Errorf("refresh of 20 tokens: got %d reads", single)
	}
	c.destroy()
}
