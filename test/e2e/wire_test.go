package e2e_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// keys returns the keys of a JSON object in their order in the text.
func keys(t *testing.T, object string) string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(object))
	if _, err := decoder.Token(); err != nil {
		t.Fatalf("%v in %s", err, object)
	}
	var names []string
	for decoder.More() {
		name := must[json.Token](t)(decoder.Token())
		text, _ := name.(string)
		names = append(names, text)
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Join(names, ",")
}

const (
	namespaceKeys = "id,name,environment_variables,organization_id,project_id,status,registry_namespace_id,error_message,registry_endpoint,description,secret_environment_variables,tags,created_at,updated_at,vpc_integration_activated,region"
	functionKeys  = "id,name,namespace_id,status,environment_variables,min_scale,max_scale,runtime,memory_limit,cpu_limit,timeout,handler,error_message,privacy,description,domain_name,secret_environment_variables,http_option,runtime_message,build_message,sandbox,created_at,updated_at,ready_at,tags,private_network_id,region"
	runtimeKeys   = "name,language,version,default_handler,code_sample,status,status_message,extension,implementation,logo_url"

	fresh = `"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"`
	kept  = `"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"`
)

func wantMatch(t *testing.T, what, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(text) {
		t.Errorf("%s: got %s, want a match of %s", what, text, pattern)
	}
}

// The answers are compared with recorded answers of the real service.
func TestWireForm_IsThatOfTheService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	status, header, created := w.api(http.MethodPost, "/namespaces",
		`{"name":"wire","project_id":"`+w.ProjectID+`","description":"a <b> & c","tags":null,"secret_environment_variables":[{"key":"S","value":"x"}],"activate_vpc_integration":false}`)
	wantStatus(t, "create namespace", status, 200)
	if got := keys(t, created); got != namespaceKeys {
		t.Errorf("keys of a namespace: got\n%s, want\n%s", got, namespaceKeys)
	}
	for what, pattern := range map[string]string{
		"state":       `"status":"pending","registry_namespace_id":"","error_message":null,"registry_endpoint":""`,
		"escaping":    `"description":"a <b> & c"`,
		"lists":       `"environment_variables":\{\}.*"tags":\[\]`,
		"time stamps": `"created_at":` + fresh + `,"updated_at":` + fresh,
		"secret":      `\[\{"key":"S","hashed_value":"\$argon2id\$v=19\$m=65536,t=1,p=2\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"\}\]`,
		"end":         `"region":"fr-par"\}$`,
	} {
		wantMatch(t, what, created, pattern)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		"Strict-Transport-Security": "max-age=63072000", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("header %s: got %q, want %q", name, got, want)
		}
	}
	wantMatch(t, "request id", header.Get("X-Request-Id"), `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

	n := w.namespace("wire-two")
	_, _, got := w.api(http.MethodGet, "/namespaces/"+n.ID, "")
	wantMatch(t, "time stamps of a read", got, `"created_at":`+kept+`,"updated_at":`+kept)
	wantMatch(t, "registry", got, `"registry_endpoint":"rg.fr-par.scw.cloud/funcscwwiretwo[a-z0-9]{8}"`)
	_, _, patched := w.api(http.MethodPatch, "/namespaces/"+n.ID, `{"description":"x","environment_variables":null,"secret_environment_variables":null,"tags":["a"]}`)
	wantMatch(t, "patch", patched, `"status":"ready".*"tags":\["a"\],"created_at":`+kept+`,"updated_at":`+fresh)

	status, _, made := w.api(http.MethodPost, "/functions",
		`{"name":"f","namespace_id":"`+n.ID+`","runtime":"go126","privacy":"unknown_privacy","http_option":"unknown_http_option","sandbox":"unknown_sandbox","timeout":"10.000000000s","environment_variables":null}`)
	wantStatus(t, "create function", status, 200)
	if got := keys(t, made); got != functionKeys {
		t.Errorf("keys of a function: got\n%s, want\n%s", got, functionKeys)
	}
	for what, pattern := range map[string]string{
		"defaults": `"status":"created".*"min_scale":0,"max_scale":5,"runtime":"go126","memory_limit":256,"cpu_limit":140,"timeout":"10s","handler":"Handle","error_message":null,"privacy":"public"`,
		"rest":     `"http_option":"enabled".*"build_message":null,"sandbox":"v2","created_at":` + fresh + `,"updated_at":` + fresh + `,"ready_at":null,"tags":\[\],"private_network_id":null,"region":"fr-par"\}$`,
		"domain":   `"domain_name":"wiretwo[a-z0-9]{8}-f\.functions\.fnc\.fr-par\.localhost"`,
	} {
		wantMatch(t, what, made, pattern)
	}
	_, _, runtimes := w.api(http.MethodGet, "/runtimes", "")
	var list struct {
		Runtimes   []json.RawMessage `json:"runtimes"`
		TotalCount int               `json:"total_count"`
	}
	if err := json.Unmarshal([]byte(runtimes), &list); err != nil || list.TotalCount != 41 || len(list.Runtimes) != 41 {
		t.Fatalf("got %d runtimes of %d, error %v", len(list.Runtimes), list.TotalCount, err)
	}
	if got := keys(t, string(list.Runtimes[0])); got != runtimeKeys {
		t.Errorf("keys of a runtime: got\n%s, want\n%s", got, runtimeKeys)
	}
	_, _, empty := w.api(http.MethodGet, "/namespaces?name=none&page=1&order_by=created_at_asc", "")
	if empty != `{"namespaces":[],"total_count":0}` {
		t.Errorf("an empty list: got %s", empty)
	}
}

func TestWireForm_OfToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("tokens")
	status, _, made := w.api(http.MethodPost, "/tokens", `{"namespace_id":"`+n.ID+`","expires_at":"2030-07-04T18:49:39.5+02:00"}`)
	wantStatus(t, "create token", status, 200)
	if got, want := keys(t, made), "token,public_key,namespace_id,id,status,expires_at,description"; got != want {
		t.Errorf("keys of a token: got %s, want %s", got, want)
	}
	wantMatch(t, "token", made, `"token":"[\w-]+\.[\w-]+\.[\w-]{683}".*"status":"creating","expires_at":"2030-07-04T16:49:39Z","description":""\}$`)
	var token struct{ ID, Token string }
	if err := json.Unmarshal([]byte(made), &token); err != nil {
		t.Fatal(err)
	}
	ready := must[*function.Token](t)(w.WaitForToken(&function.WaitForTokenRequest{TokenID: token.ID, RetryInterval: often}))
	if ready.Status != function.TokenStatusReady {
		t.Errorf("got token status %s", ready.Status)
	}
	_, _, got := w.api(http.MethodGet, "/tokens/"+token.ID, "")
	wantMatch(t, "a read", got, `^\{"token":"<hidden>","public_key":"","namespace_id":".*","status":"ready"`)
	_, _, deleted := w.api(http.MethodDelete, "/tokens/"+token.ID, "")
	wantMatch(t, "the deletion", deleted, `^\{"token":"","public_key":"","namespace_id":".*","status":"deleting"`)
	status, _, again := w.api(http.MethodDelete, "/tokens/"+token.ID, "")
	if status != 404 || again != `{"message":"Token was not found"}` {
		t.Errorf("a second deletion: got %d %s", status, again)
	}
	_, _, forever := w.api(http.MethodPost, "/tokens", `{"namespace_id":"`+n.ID+`","expires_at":null,"description":null}`)
	wantMatch(t, "no expiry", forever, `"expires_at":null,"description":""`)
}

func TestWireForm_OfRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("refusals")
	const unknown = "99999999-9999-4999-8999-999999999999"
	functionBody := func(rest string) string {
		return `{"namespace_id":"` + n.ID + `","name":"f","runtime":"go126"` + rest + `}`
	}
	invalid := func(argument string) string {
		return `^\{"details":\[\{"argument_name":"` + argument + `","help_message":".+","reason":"(required|format|constraint|unknown)"\}\],"message":"invalid argument\(s\)","type":"invalid_arguments"\}$`
	}
	bare := func(text string) string { return `^\{"message":"` + text + `"\}$` }
	for name, test := range map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"unknown namespace":             {"GET", "/namespaces/" + unknown, "", 404, bare("Namespace was not found")},
		"unknown function":              {"DELETE", "/functions/" + unknown, "", 404, bare("Function was not found")},
		"unknown token":                 {"GET", "/tokens/" + unknown, "", 404, bare("Token was not found")},
		"namespace of a name":           {"GET", "/namespaces/hello", "", 400, invalid("namespace_id")},
		"id with quotes":                {"GET", "/functions/'--", "", 400, invalid("function_id")},
		"regional id":                   {"GET", "/tokens/fr-par%2F" + unknown, "", 400, invalid("token_id")},
		"duplicate namespace":           {"POST", "/namespaces", `{"name":"refusals"}`, 409, bare("Namespace already exist")},
		"namespace without name":        {"POST", "/namespaces", "", 400, bare("namespace name must begin .*")},
		"foreign project":               {"POST", "/namespaces", `{"name":"x","project_id":"` + unknown + `"}`, 403, `"type":"permissions_denied"`},
		"no JSON":                       {"POST", "/namespaces", `{"name":`, 400, bare("the request's body is not valid JSON, at byte 8")},
		"something behind":              {"POST", "/namespaces", `{"name":"a"} {}`, 400, bare("the request's body is not valid JSON.*")},
		"an array":                      {"POST", "/namespaces", `["name"]`, 400, `wrong type: an array`},
		"wrong type":                    {"POST", "/functions", functionBody(`,"max_scale":"five"`), 400, invalid("max_scale")},
		"fraction":                      {"POST", "/functions", functionBody(`,"max_scale":1.5`), 400, invalid("max_scale")},
		"timeout as number":             {"POST", "/functions", functionBody(`,"timeout":300`), 400, invalid("timeout")},
		"timeout in minutes":            {"POST", "/functions", functionBody(`,"timeout":"5m"`), 400, invalid("timeout")},
		"unknown runtime":               {"POST", "/functions", functionBody(`,"runtime":"cobol60"`), 400, invalid("runtime")},
		"no runtime":                    {"POST", "/functions", functionBody(`,"runtime":"unknown_runtime"`), 400, invalid("runtime")},
		"handler with a path":           {"POST", "/functions", functionBody(`,"handler":"../../etc/Passwd"`), 400, bare("handler value is invalid: .+")},
		"upper case name":               {"POST", "/functions", functionBody(`,"name":"Hello"`), 400, bare("function name must consist of lower case alphanumeric characters or '-', starts and ends with an alphanumeric character")},
		"functions without a namespace": {"GET", "/functions", "", 400, invalid("namespace_id")},
		"token of neither":              {"POST", "/tokens", `{}`, 400, invalid("function_id")},
		"token of both":                 {"POST", "/tokens", `{"function_id":"` + unknown + `","namespace_id":"` + unknown + `"}`, 400, invalid("function_id")},
		"token of an unknown function":  {"POST", "/tokens", `{"function_id":"` + unknown + `"}`, 404, bare("Function was not found")},
		"expiry that is no date":        {"POST", "/tokens", `{"namespace_id":"` + n.ID + `","expires_at":"tomorrow"}`, 400, invalid("expires_at")},
		"expiry before 1970":            {"POST", "/tokens", `{"namespace_id":"` + n.ID + `","expires_at":"0001-01-01T00:00:00Z"}`, 400, invalid("expires_at")},
		"page 0":                        {"GET", "/namespaces?page=0", "", 400, invalid("page")},
		"page_size 101":                 {"GET", "/namespaces?page_size=101", "", 400, invalid("page_size")},
		"order by status":               {"GET", "/namespaces?order_by=status_asc", "", 400, invalid("order_by")},
		"upload without length":         {"GET", "/functions/" + unknown + "/upload-url", "", 404, bare("Function was not found")},
		"an unknown noun":               {"GET", "/nothing", "", 404, bare("no such endpoint: GET .*")},
		"no such verb":                  {"PUT", "/namespaces", "", 404, bare("no such endpoint: PUT .*")},
	} {
		status, header, body := w.api(test.method, test.path, test.body)
		wantStatus(t, name, status, test.status)
		wantMatch(t, name, body, test.says)
		if got := header.Get("Content-Type"); got != "application/json" {
			t.Errorf("%s: got Content-Type %q", name, got)
		}
	}
	_, _, list := w.api(http.MethodGet, "/functions?namespace_id="+n.ID, "")
	if list != `{"functions":[],"total_count":0}` {
		t.Errorf("after refused creations: got list %s", list)
	}
}

func TestBody_RefusesHostileInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	status, _, body := w.api(http.MethodPost, "/namespaces", `{"name":"`+strings.Repeat("x", 100<<20)+`"}`)
	if status != 400 || !strings.Contains(body, "too large") {
		t.Errorf("a body of 100 MB: got %d %s", status, body)
	}
	status, _, body = w.api(http.MethodPost, "/namespaces", strings.Repeat("[", 1<<20))
	if status != 400 || !strings.Contains(body, "not valid JSON") {
		t.Errorf("a body of a million brackets: got %d %s", status, body)
	}
	const secret = "do-not-repeat-me"
	_, _, body = w.api(http.MethodPost, "/namespaces", `{"name":"x","secret_environment_variables":[{"key":"K","value":{"v":"`+secret+`"}}]}`)
	if strings.Contains(body, secret) || strings.Contains(w.Log.String(), secret) {
		t.Errorf("the error contains a secret of the wrong type: %s", body)
	}
}

func TestAuthentication_RefusesUnknownKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const path = "/functions/v1beta1/regions/fr-par/namespaces"
	for name, test := range map[string]struct {
		key, path string
		status    int
		says      string
	}{
		"no key":             {"", path, 401, `{"message":"authentication is denied","method":"api_key","reason":"invalid_argument","type":"denied_authentication"}`},
		"no UUID":            {"secret", path, 401, `{"message":"authentication is denied","method":"api_key","reason":"invalid_argument","type":"denied_authentication"}`},
		"unknown key":        {"99999999-9999-4999-8999-999999999999", path, 401, `{"message":"authentication is denied","method":"api_key","reason":"not_found","type":"denied_authentication"}`},
		"the access key":     {w.AccessKey, path, 401, `{"message":"authentication is denied","method":"api_key","reason":"invalid_argument","type":"denied_authentication"}`},
		"no key, no path":    {"", "/", 401, `{"message":"authentication is denied","method":"api_key","reason":"invalid_argument","type":"denied_authentication"}`},
		"a region of others": {w.SecretKey, "/functions/v1beta1/regions/it-mil/namespaces", 400, `"argument_name":"region"`},
		"no such path":       {w.SecretKey, "/", 404, `{"message":"no such endpoint: GET /"}`},
	} {
		header := http.Header{}
		if test.key != "" {
			header.Set("X-Auth-Token", test.key)
		}
		status, _, body := w.send(http.MethodGet, w.APIURL+test.path, nil, header)
		wantStatus(t, name, status, test.status)
		if !strings.Contains(body, test.says) {
			t.Errorf("%s: got %s, want %s", name, body, test.says)
		}
	}
	if strings.Contains(w.Log.String(), w.SecretKey) || strings.Contains(w.Log.String(), "99999999-9999") {
		t.Error("the log contains a secret key")
	}
	// An object of one region does not exist in another one.
	n := w.namespace("region")
	status, _, body := w.send(http.MethodGet, w.APIURL+"/functions/v1beta1/regions/nl-ams/namespaces/"+n.ID, nil, http.Header{"X-Auth-Token": {w.SecretKey}})
	if status != 404 || body != `{"message":"Namespace was not found"}` {
		t.Errorf("another region: got %d %s", status, body)
	}
}

// Creation, reads and deletion of an object return the same created_at, apart from
// trailing zeros.
func TestTimestamps_AreTheSameInAllAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	createdAt := func(body string) string {
		t.Helper()
		var object struct {
			CreatedAt string `json:"created_at"`
		}
		if err := json.Unmarshal([]byte(body), &object); err != nil || object.CreatedAt == "" {
			t.Fatalf("%v in %s", err, body)
		}
		return strings.TrimRight(strings.TrimSuffix(object.CreatedAt, "Z"), "0")
	}
	n := w.namespace("instants")
	for path, body := range map[string]string{
		"/namespaces": `{"name":"instants-two","project_id":"` + w.ProjectID + `"}`,
		"/functions":  `{"name":"f","namespace_id":"` + n.ID + `","runtime":"go126"}`,
	} {
		_, _, made := w.api(http.MethodPost, path, body)
		var object struct{ ID string }
		if err := json.Unmarshal([]byte(made), &object); err != nil {
			t.Fatal(err)
		}
		_, _, got := w.api(http.MethodGet, path+"/"+object.ID, "")
		_, _, deleted := w.api(http.MethodDelete, path+"/"+object.ID, "")
		if want := createdAt(made); createdAt(got) != want || createdAt(deleted) != want {
			t.Errorf("%s: got created_at %s on read, %s on deletion, want %s", path, createdAt(got), createdAt(deleted), want)
		}
	}
}

// Clients show any text of runtime_message as a warning at each plan.
func TestRuntimeMessage_IsEmptyUnlessTheRuntimeIsPast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("messages")
	for runtime, want := range map[string]string{
		"node22": `"runtime_message":""`, "python314": `"runtime_message":""`, "go126": `"runtime_message":""`, "rust196": `"runtime_message":""`,
		"python39": `"runtime_message":"Python 3.9 is deprecated, `, "go118": `"runtime_message":"Runtime has reached its end of life. `,
	} {
		status, _, body := w.api(http.MethodPost, "/functions", `{"namespace_id":"`+n.ID+`","name":"`+runtime+`","runtime":"`+runtime+`"}`)
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: got %d %s, want %s", runtime, status, body, want)
		}
	}
}
