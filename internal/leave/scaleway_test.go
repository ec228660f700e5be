package leave_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/leave"
	"github.com/jeton-dev/jeton/test/deploy"
)

const (
	sourceProject      = "9f4e0b1a-0000-4000-8000-000000000001"
	sourceOrganization = "9f4e0b1a-0000-4000-8000-000000000002"
	sourceKey          = "9f4e0b1a-1111-4111-8111-000000000003"
	apiPrefix          = "/functions/v1beta1/regions/"
)

// scaleway plays recorded answers of Scaleway's API: key order, hidden tokens, hashes of
// secrets, pages, rate limits without a body, and signed URLs of an object store that must
// not receive the API key.
type scaleway struct {
	t            testing.TB
	api, objects *httptest.Server

	mu sync.Mutex
	// lists are the JSON objects of each list, by path and query: "namespaces fr-par".
	lists map[string][]string
	// code are the archives by function ID.
	code map[string][]byte
	// fail is called for each request, with the number of requests of that path before, and
	// returns a status to answer with, 0 for the real answer.
	fail     func(path string, before int) int
	requests map[string]int
	// truncate cuts downloads off.
	truncate bool
	// publicKey is the key of new tokens. Without it, the source must receive no request
	// that changes something. issued and deleted count these requests.
	publicKey       string
	issued, deleted int
}

func newScaleway(t testing.TB) *scaleway {
	t.Helper()
	s := &scaleway{t: t, lists: map[string][]string{}, code: map[string][]byte{}, requests: map[string]int{}, fail: func(string, int) int { return 0 }}
	s.api = httptest.NewServer(http.HandlerFunc(s.serve))
	s.objects = httptest.NewServer(http.HandlerFunc(s.download))
	t.Cleanup(s.api.Close)
	t.Cleanup(s.objects.Close)
	return s
}

func (s *scaleway) source() *leave.Source {
	s.t.Helper()
	config := leave.SourceConfig{Pause: time.Millisecond, Profile: &scw.Profile{
		AccessKey: new("SCW11111111111111111"), SecretKey: new(sourceKey), APIURL: &s.api.URL, DefaultProjectID: new(sourceProject),
	}}
	source, err := leave.Open(config)
	if err != nil {
		s.t.Fatal(err)
	}
	return source
}

// failing returns the status to fail with, 0 for none.
func (s *scaleway) failing(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.requests[path]
	s.requests[path]++
	return s.fail(path, before)
}

func (s *scaleway) serve(w http.ResponseWriter, r *http.Request) {
	if status := s.failing(r.URL.Path); status != 0 {
		if status == http.StatusTooManyRequests {
			w.Header().Set("X-Envoy-Ratelimited", "true") // Without a body and a content type.
		}
		w.WriteHeader(status)
		return
	}
	if r.Header.Get("X-Auth-Token") != sourceKey {
		s.answer(w, http.StatusUnauthorized, `{"message":"authentication is denied","method":"api_key","reason":"not_found","type":"denied_authentication"}`)
		return
	}
	if s.publicKey != "" && strings.Contains(r.URL.Path, "/tokens") && r.Method != http.MethodGet {
		s.issue(w, r)
		return
	}
	if r.Method != http.MethodGet {
		s.t.Errorf("the source received %s %s: an import must not change it", r.Method, r.URL.Path)
	}
	if project, ok := strings.CutPrefix(r.URL.Path, "/account/v3/projects/"); ok {
		s.answer(w, http.StatusOK, fmt.Sprintf(`{"id":%q,"name":"production","organization_id":%q}`, project, sourceOrganization))
		return
	}
	region, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, apiPrefix), "/")
	if id, ok := strings.CutSuffix(rest, "/download-url"); ok {
		s.downloadURL(w, strings.TrimPrefix(id, "functions/"))
		return
	}
	query := r.URL.Query()
	s.page(w, rest, strings.TrimSpace(rest+" "+region+" "+query.Get("namespace_id")+query.Get("function_id")), query.Get("page"), query.Get("page_size"))
}

// issue creates or deletes a token.
func (s *scaleway) issue(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodDelete {
		s.deleted++
	} else {
		s.issued++
	}
	s.answer(w, http.StatusOK, fmt.Sprintf(`{"id":%q,"status":"ready","token":"t","public_key":%q}`, tokenID(9, s.issued), s.publicKey))
}

func (s *scaleway) answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func (s *scaleway) page(w http.ResponseWriter, noun, key, page, size string) {
	s.mu.Lock()
	all := s.lists[key]
	s.mu.Unlock()
	number, _ := strconv.Atoi(page)
	most, _ := strconv.Atoi(size)
	number, most = max(number, 1), min(max(most, 1), 100)
	from := min((number-1)*most, len(all))
	some := all[from:min(from+most, len(all))]
	s.answer(w, http.StatusOK, fmt.Sprintf(`{%q:[%s],"total_count":%d}`, noun, strings.Join(some, ","), len(all)))
}

func (s *scaleway) downloadURL(w http.ResponseWriter, id string) {
	s.mu.Lock()
	_, ok := s.code[id]
	s.mu.Unlock()
	if !ok {
		s.answer(w, http.StatusNotFound, `{"message":"Function was not found"}`)
		return
	}
	s.answer(w, http.StatusOK, fmt.Sprintf(`{"url":"%s/uploads/function-%s.zip?X-Amz-Signature=%s","headers":{"x-extra":["1"]}}`, s.objects.URL, id, strings.Repeat("a", 64)))
}

func (s *scaleway) download(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Auth-Token") != "" {
		s.t.Error("the object store received the API key")
	}
	if status := s.failing(r.URL.Path); status != 0 {
		w.WriteHeader(status)
		return
	}
	id := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/uploads/function-"), ".zip")
	s.mu.Lock()
	code, cut := s.code[id], s.truncate
	s.mu.Unlock()
	w.Header().Set("Content-Length", strconv.Itoa(len(code)))
	if cut {
		code = code[:len(code)/2]
	}
	_, _ = io.Copy(w, bytes.NewReader(code))
}

func namespaceID(n int) string { return fmt.Sprintf("a0000000-0000-4000-8000-%012d", n) }

func functionID(namespace, n int) string {
	return fmt.Sprintf("f0000000-0000-4000-8000-%06d%06d", namespace, n)
}

func tokenID(namespace, n int) string {
	return fmt.Sprintf("70000000-0000-4000-8000-%06d%06d", namespace, n)
}

func (s *scaleway) add(list, object string) {
	if !json.Valid([]byte(object)) {
		s.t.Fatalf("not JSON: %s", object)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists[list] = append(s.lists[list], object)
}

// namespace adds a namespace in the recorded form.
func (s *scaleway) namespace(n int, region string) {
	s.add("namespaces "+region, fmt.Sprintf(`{"id":%q,"name":"shop-%d","environment_variables":{"SHOP":"%d"},"organization_id":%q,"project_id":%q,"status":"ready",`+
		`"registry_namespace_id":"b0000000-0000-4000-8000-%012d","error_message":null,"registry_endpoint":"rg.%s.scw.cloud/funcscwshop%dabcdefgh","description":"","secret_environment_variables":[],`+
		`"tags":["a"],"created_at":"2026-07-03T13:03:38.206273Z","updated_at":"2026-07-03T13:03:44.366266Z","vpc_integration_activated":false,"region":%q}`,
		namespaceID(n), n, n, sourceOrganization, sourceProject, n, region, n, region))
}

// A sourceFunction are the parts of a function that tests vary.
type sourceFunction struct {
	runtime, updatedAt string
	memory             int
	hash               string
	code               map[string]string
}

// function adds a function in the recorded form, with two tokens.
func (s *scaleway) function(namespace, n int, region string, change func(*sourceFunction)) {
	f := sourceFunction{runtime: "node22", updatedAt: "2026-07-03T13:05:49.139300Z", memory: 256}
	if change != nil {
		change(&f)
	}
	secrets := "[]"
	if f.hash != "" {
		secrets = fmt.Sprintf(`[{"key":"API","hashed_value":%q}]`, f.hash)
	}
	id := functionID(namespace, n)
	s.add("functions "+region+" "+namespaceID(namespace), fmt.Sprintf(`{"id":%q,"name":"pay-%d","namespace_id":%q,"status":"ready","environment_variables":{},"min_scale":0,"max_scale":20,`+
		`"runtime":%q,"memory_limit":%d,"cpu_limit":140,"timeout":"300s","handler":"handler.handle","error_message":null,"privacy":"private","description":"",`+
		`"domain_name":"shop%dabcdefgh-pay-%d.functions.fnc.%s.scw.cloud","secret_environment_variables":%s,"http_option":"enabled","runtime_message":"","build_message":null,"sandbox":"v2",`+
		`"created_at":"2026-07-03T13:03:53.074987Z","updated_at":%q,"ready_at":"2026-07-03T13:05:49.134526Z","tags":[],"private_network_id":null,"region":%q}`,
		id, n, namespaceID(namespace), f.runtime, f.memory, namespace, n, region, secrets, f.updatedAt, region))
	s.add("tokens "+region+" "+id, fmt.Sprintf(`{"token":"<hidden>","public_key":"","function_id":%q,"id":%q,"status":"ready","expires_at":"2036-07-04T16:49:39Z","description":"caller"}`, id, tokenID(namespace, 2*n)))
	s.add("tokens "+region+" "+id, fmt.Sprintf(`{"token":"<hidden>","public_key":"","function_id":%q,"id":%q,"status":"ready","expires_at":null,"description":""}`, id, tokenID(namespace, 2*n+1)))
	s.add("crons "+region+" "+id, fmt.Sprintf(`{"id":"c%s","function_id":%q,"schedule":"0 3 * * *","args":{},"status":"ready","name":"nightly"}`, id[1:], id))
	s.add("domains "+region+" "+id, fmt.Sprintf(`{"id":"d%s","hostname":"pay-%d-%d.example.com","function_id":%q,"url":"https://pay-%d-%d.example.com","status":"ready","error_message":null}`, id[1:], namespace, n, id, namespace, n))
	s.add("triggers "+region+" "+namespaceID(namespace), fmt.Sprintf(`{"id":"e%s","name":"orders","description":"","function_id":%q,"input_type":"scw_sqs","status":"ready","error_message":null,`+
		`"scw_sqs_config":{"queue":"orders","mnq_project_id":%q,"mnq_region":"fr-par","mnq_credential_id":"9f4e0b1a-0000-4000-8000-000000000009"}}`, id[1:], id, sourceProject))
	if f.code != nil {
		archive, err := deploy.Archive(f.code)
		if err != nil {
			s.t.Fatal(err)
		}
		s.mu.Lock()
		s.code[id] = archive
		s.mu.Unlock()
	}
}

// hashOf returns a hash in the form of Scaleway's.
func hashOf(t *testing.T, value string) string {
	t.Helper()
	hash, err := argon2id.CreateHash(value, &argon2id.Params{Memory: 64 << 10, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	return hash
}
