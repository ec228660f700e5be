package e2e_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/server"
)

func strict(c *server.Config) { c.StrictRuntimes = true }

// With --strict-runtimes, as in the real service, a runtime after its end of support
// cannot be used for a new function, and a function cannot be changed after its
// runtime's end of life.
func TestStrictRuntimes_RefusesOutdatedRuntimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("runtimes")
	made := map[string]*function.Function{}
	for _, r := range runtime.All() {
		made[r.Name] = w.function(&function.CreateFunctionRequest{NamespaceID: n.ID, Name: "f-" + r.Name, Runtime: function.FunctionRuntime(r.Name)}, nil)
	}
	w.restart(strict)
	for _, r := range runtime.All() {
		refusal := `{"details":[{"argument_name":"runtime","help_message":"` + r.StatusMessage + `","reason":"constraint"}],"message":"invalid argument(s)","type":"invalid_arguments"}`
		mayCreate := r.Status == runtime.Available || r.Status == runtime.Deprecated
		mayUpdate := r.Status != runtime.EndOfLife
		for what, test := range map[string]struct {
			method, path, body string
			may                bool
		}{
			"create": {http.MethodPost, "/functions", `{"namespace_id":"` + n.ID + `","name":"g-` + r.Name + `","runtime":"` + r.Name + `"}`, mayCreate},
			"update": {http.MethodPatch, "/functions/" + made[r.Name].ID, `{"description":"x"}`, mayUpdate},
			"deploy": {http.MethodPost, "/functions/" + made[r.Name].ID + "/deploy", `{}`, mayUpdate},
		} {
			status, _, body := w.api(test.method, test.path, test.body)
			if test.may != (status == http.StatusOK) || !test.may && body != refusal {
				t.Errorf("%s with %s, status %s: got %d %s", what, r.Name, r.Status, status, body)
			}
		}
	}
	for what, test := range map[string]struct {
		from, to string
		status   int
	}{
		"to one after its support":   {"node22", "node20", 200},
		"to one after its life":      {"node22", "node16", 400},
		"from one after its life":    {"node16", "node22", 400},
		"as it is, after support":    {"node18", "node18", 200},
		"from one after its support": {"node20", "node24", 200},
	} {
		status, _, body := w.api(http.MethodPatch, "/functions/"+made[test.from].ID, `{"runtime":"`+test.to+`"}`)
		if status != test.status {
			t.Errorf("%s: got %d %s, want %d", what, status, body, test.status)
		}
	}
	status, _, body := w.api(http.MethodDelete, "/functions/"+made["node16"].ID, "")
	if status != http.StatusOK {
		t.Errorf("delete after the end of life: got %d %s", status, body)
	}
}

func TestLimits_AreConfigurable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) {
		l := &c.Limits
		l.Namespaces, l.Functions, l.Domains, l.Variables, l.VariableSize, l.SecretSize = 2, 2, 1, 2, 5, 4
		l.MaxScale, l.ArchiveSize, l.PayloadSize = 3, 1000, 10
	})
	n := w.namespace("limits")
	f := w.function(python(n.ID, "f"), pythonHandler("return event['body']"))
	post := func(path, body string) func() (int, http.Header, string) {
		return func() (int, http.Header, string) { return w.api(http.MethodPost, path, body) }
	}
	patch := func(body string) func() (int, http.Header, string) {
		return func() (int, http.Header, string) { return w.api(http.MethodPatch, "/functions/"+f.ID, body) }
	}
	call := func(length int) func() (int, http.Header, string) {
		return func() (int, http.Header, string) {
			return w.send(http.MethodPost, w.GatewayURL, []byte(strings.Repeat("x", length)), http.Header{"Host": {f.DomainName}})
		}
	}
	domain := func(name string) func() (int, http.Header, string) {
		return post("/domains", `{"function_id":"`+f.ID+`","hostname":"`+name+`.example.com"}`)
	}
	upload := func(length int) func() (int, http.Header, string) {
		return func() (int, http.Header, string) {
			return w.api(http.MethodGet, "/functions/"+f.ID+"/upload-url?content_length="+strconv.Itoa(length), "")
		}
	}
	function := func(name string) func() (int, http.Header, string) {
		return post("/functions", `{"namespace_id":"`+n.ID+`","runtime":"python311","name":"`+name+`"}`)
	}
	for name, test := range map[string]struct {
		within, beyond func() (int, http.Header, string)
		status         int
		says           string
	}{
		"payload":       {call(10), call(11), 413, "max payload size = 10 bytes"},
		"archive":       {upload(1000), upload(1001), 400, "must be at most 1000 bytes"},
		"namespaces":    {post("/namespaces", `{"name":"second"}`), post("/namespaces", `{"name":"third"}`), 403, "at most 2 namespaces"},
		"functions":     {function("second"), function("third"), 403, "at most 2 functions"},
		"domains":       {domain("first"), domain("second"), 403, "at most 1 domains"},
		"scale":         {patch(`{"max_scale":3}`), patch(`{"max_scale":4}`), 400, "max_scale"},
		"variable size": {patch(`{"environment_variables":{"A":"12345"}}`), patch(`{"environment_variables":{"A":"123456"}}`), 400, "at most 5 characters"},
		"variables":     {patch(`{"environment_variables":{"A":"","B":""}}`), patch(`{"environment_variables":{"A":"","B":"","C":""}}`), 403, "at most 2"},
		"secret size": {
			patch(`{"secret_environment_variables":[{"key":"S","value":"1234"}]}`),
			patch(`{"secret_environment_variables":[{"key":"S","value":"12345"}]}`), 400, "at most 4 bytes",
		},
	} {
		if status, _, body := test.within(); status != http.StatusOK {
			t.Errorf("%s within the limit: got %d %s", name, status, body)
		}
		if status, _, body := test.beyond(); status != test.status || !strings.Contains(body, test.says) {
			t.Errorf("%s above the limit: got %d %s, want %d %q", name, status, body, test.status, test.says)
		}
	}
}
