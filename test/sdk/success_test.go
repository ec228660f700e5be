package sdk_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/deploy"
)

// archive returns the archive of a Python function.
func archive(t *testing.T) []byte {
	t.Helper()
	packed, err := deploy.Archive(map[string]string{"handler.py": "def handle(event, context):\n    return 'hello'\n"})
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// The test creates, reads, updates and deletes an object of each kind.
func TestEveryMethod_Succeeds(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	n := s.lifeOfNamespace()
	f := s.lifeOfFunction(n)
	s.lifeOfToken(n, f)
	s.lifeOfCron(f)
	s.lifeOfDomain(f)
	s.lifeOfTrigger(n, f)

	runtimes := ask[*function.ListFunctionRuntimesResponse](s, &function.ListFunctionRuntimesRequest{})
	equal(t, "runtimes", int(runtimes.TotalCount), len(runtimes.Runtimes))

	equal(t, "a deleted function", ask[*function.Function](s, &function.DeleteFunctionRequest{FunctionID: f.ID}).Status, function.FunctionStatusDeleting)
	equal(t, "a deleted namespace", ask[*function.Namespace](s, &function.DeleteNamespaceRequest{NamespaceID: n.ID}).Status, function.NamespaceStatusDeleting)
	s.gone(func() error {
		_, err := s.api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: often})
		return err
	})
	s.wantAll()
}

// gone calls a method that waits for an object, and fails unless it returns 404.
func (s *session) gone(wait func() error) {
	s.t.Helper()
	if err := wait(); !strings.Contains(fmt.Sprint(err), "404") {
		s.t.Errorf("wait for a deleted object: got error %v, want 404", err)
	}
}

func (s *session) lifeOfNamespace() *function.Namespace {
	s.t.Helper()
	n := ask[*function.Namespace](s, &function.CreateNamespaceRequest{
		Name: "sdk", Description: pointer("d"), Tags: []string{"a"}, EnvironmentVariables: &map[string]string{"A": "1"},
		SecretEnvironmentVariables: []*function.Secret{{Key: "S", Value: pointer("v")}},
	})
	equal(s.t, "a new namespace", n.Status, function.NamespaceStatusPending)
	n = ask[*function.Namespace](s, &function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: often})
	equal(s.t, "a namespace", n.Status, function.NamespaceStatusReady)
	n = ask[*function.Namespace](s, &function.UpdateNamespaceRequest{NamespaceID: n.ID, Description: pointer("e")})
	same := ask[*function.Namespace](s, &function.GetNamespaceRequest{NamespaceID: n.ID})
	if !same.UpdatedAt.Equal(n.UpdatedAt.Round(time.Microsecond)) || *same.Description != "e" {
		s.t.Errorf("after the update: got namespace %+v, want %+v", same, n)
	}
	for what, request := range map[string]*function.ListNamespacesRequest{
		"all": {}, "by name": {Name: pointer("sdk")}, "by project": {ProjectID: &s.ProjectID},
		"by organization": {OrganizationID: &s.OrganizationID}, "by name, backwards": {OrderBy: function.ListNamespacesRequestOrderByNameDesc},
	} {
		listed := ask[*function.ListNamespacesResponse](s, request)
		if listed.TotalCount != 1 || !reflect.DeepEqual(listed.Namespaces[0], same) {
			s.t.Errorf("list %s: got %+v", what, listed)
		}
	}
	equal(s.t, "namespaces of another name", int(ask[*function.ListNamespacesResponse](s, &function.ListNamespacesRequest{Name: pointer("sd")}).TotalCount), 0)
	return n
}

func (s *session) lifeOfFunction(n *function.Namespace) *function.Function {
	s.t.Helper()
	f := s.function(n.ID, "sdk")
	equal(s.t, "a new function", f.Status, function.FunctionStatusCreated)
	code := archive(s.t)
	target := ask[*function.UploadURL](s, &function.GetFunctionUploadURLRequest{FunctionID: f.ID, ContentLength: uint64(len(code))})
	if err := deploy.Put(s.t.Context(), target, code); err != nil {
		s.t.Fatal(err)
	}
	equal(s.t, "a deployment", ask[*function.Function](s, &function.DeployFunctionRequest{FunctionID: f.ID}).Status, function.FunctionStatusPending)
	f = ask[*function.Function](s, &function.WaitForFunctionRequest{FunctionID: f.ID, RetryInterval: often, Timeout: pointer(patience)})
	equal(s.t, "a deployed function", f.Status, function.FunctionStatusReady)
	source := ask[*function.DownloadURL](s, &function.GetFunctionDownloadURLRequest{FunctionID: f.ID})
	response, err := http.Get(source.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if got, err := io.ReadAll(response.Body); err != nil || !bytes.Equal(got, code) {
		s.t.Errorf("download: got %d bytes, error %v, want %d", len(got), err, len(code))
	}
	ask[*function.Function](s, &function.UpdateFunctionRequest{FunctionID: f.ID, Description: pointer("e"), Redeploy: pointer(true)})
	ask[*function.Function](s, &function.WaitForFunctionRequest{FunctionID: f.ID, RetryInterval: often, Timeout: pointer(patience)})
	f = ask[*function.Function](s, &function.GetFunctionRequest{FunctionID: f.ID})
	equal(s.t, "the description", *f.Description, "e")
	listed := ask[*function.ListFunctionsResponse](s, &function.ListFunctionsRequest{NamespaceID: n.ID, Name: &f.Name})
	if listed.TotalCount != 1 || !reflect.DeepEqual(listed.Functions[0], f) {
		s.t.Errorf("got list %+v", listed)
	}
	return f
}

func (s *session) lifeOfToken(n *function.Namespace, f *function.Function) {
	s.t.Helper()
	for _, request := range []*function.CreateTokenRequest{{NamespaceID: &n.ID, ExpiresAt: pointer(time.Now().Add(time.Hour))}, {FunctionID: &f.ID}} {
		k := ask[*function.Token](s, request)
		equal(s.t, "parts of a token", strings.Count(k.Token, "."), 2)
		k = ask[*function.Token](s, &function.WaitForTokenRequest{TokenID: k.ID, RetryInterval: often})
		equal(s.t, "a token", k.Status, function.TokenStatusReady)
		equal(s.t, "its text", ask[*function.Token](s, &function.GetTokenRequest{TokenID: k.ID}).Token, "<hidden>")
		listed := ask[*function.ListTokensResponse](s, &function.ListTokensRequest{FunctionID: request.FunctionID, NamespaceID: request.NamespaceID})
		if listed.TotalCount != 1 || !reflect.DeepEqual(listed.Tokens[0], k) {
			s.t.Errorf("got list %+v", listed)
		}
		equal(s.t, "a deleted token", ask[*function.Token](s, &function.DeleteTokenRequest{TokenID: k.ID}).Status, function.TokenStatusDeleting)
	}
}

func (s *session) lifeOfCron(f *function.Function) {
	s.t.Helper()
	c := ask[*function.Cron](s, &function.CreateCronRequest{FunctionID: f.ID, Schedule: "0 0 1 1 *", Args: &scw.JSONObject{"a": "b"}, Name: pointer("c")})
	c = ask[*function.Cron](s, &function.WaitForCronRequest{CronID: c.ID, RetryInterval: often})
	equal(s.t, "a cron", c.Status, function.CronStatusReady)
	ask[*function.Cron](s, &function.UpdateCronRequest{CronID: c.ID, Schedule: pointer("@yearly")})
	ask[*function.Cron](s, &function.WaitForCronRequest{CronID: c.ID, RetryInterval: often})
	c = ask[*function.Cron](s, &function.GetCronRequest{CronID: c.ID})
	equal(s.t, "its schedule", c.Schedule, "@yearly")
	listed := ask[*function.ListCronsResponse](s, &function.ListCronsRequest{FunctionID: f.ID})
	if listed.TotalCount != 1 || !reflect.DeepEqual(listed.Crons[0], c) {
		s.t.Errorf("got list %+v", listed)
	}
	equal(s.t, "a deleted cron", ask[*function.Cron](s, &function.DeleteCronRequest{CronID: c.ID}).Status, function.CronStatusDeleting)
}

func (s *session) lifeOfDomain(f *function.Function) {
	s.t.Helper()
	d := ask[*function.Domain](s, &function.CreateDomainRequest{FunctionID: f.ID, Hostname: "sdk.example.com"})
	d = ask[*function.Domain](s, &function.WaitForDomainRequest{DomainID: d.ID, RetryInterval: often})
	equal(s.t, "a domain", d.Status, function.DomainStatusReady)
	equal(s.t, "its address", ask[*function.Domain](s, &function.GetDomainRequest{DomainID: d.ID}).URL, "https://sdk.example.com")
	listed := ask[*function.ListDomainsResponse](s, &function.ListDomainsRequest{FunctionID: f.ID})
	if listed.TotalCount != 1 || !reflect.DeepEqual(listed.Domains[0], d) {
		s.t.Errorf("got list %+v", listed)
	}
	equal(s.t, "a deleted domain", ask[*function.Domain](s, &function.DeleteDomainRequest{DomainID: d.ID}).Status, function.DomainStatusDeleting)
}

func (s *session) lifeOfTrigger(n *function.Namespace, f *function.Function) {
	s.t.Helper()
	for name, request := range map[string]*function.CreateTriggerRequest{
		"nats":     {ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{Subject: "a.b", MnqNatsAccountID: unknownID, MnqProjectID: s.ProjectID, MnqRegion: "fr-par"}},
		"queue":    {ScwSqsConfig: &function.CreateTriggerRequestMnqSqsClientConfig{Queue: "q", MnqProjectID: s.ProjectID, MnqRegion: "fr-par"}},
		"external": {SqsConfig: &function.CreateTriggerRequestSqsClientConfig{Endpoint: "https://sqs.example.com", QueueURL: "https://sqs.example.com/q", AccessKey: "a", SecretKey: "s"}},
	} {
		request.Name, request.FunctionID = name, f.ID
		r := ask[*function.Trigger](s, request)
		equal(s.t, "a new trigger", r.Status, function.TriggerStatusCreating)
		r = ask[*function.Trigger](s, &function.WaitForTriggerRequest{TriggerID: r.ID, RetryInterval: often})
		update := &function.UpdateTriggerRequest{TriggerID: r.ID, Description: pointer("d")}
		if request.SqsConfig != nil {
			update.SqsConfig = &function.UpdateTriggerRequestSqsClientConfig{AccessKey: pointer("b")}
		}
		ask[*function.Trigger](s, update)
		r = ask[*function.Trigger](s, &function.GetTriggerRequest{TriggerID: r.ID})
		equal(s.t, "its description", r.Description, "d")
		for what, of := range map[string]*function.ListTriggersRequest{"function": {FunctionID: &f.ID}, "namespace": {NamespaceID: &n.ID}, "project": {ProjectID: &s.ProjectID}} {
			listed := ask[*function.ListTriggersResponse](s, of)
			if listed.TotalCount != 1 || listed.Triggers[0].ID != r.ID {
				s.t.Errorf("list of the %s: got %+v", what, listed)
			}
		}
		equal(s.t, "a deleted trigger", ask[*function.Trigger](s, &function.DeleteTriggerRequest{TriggerID: r.ID}).Status, function.TriggerStatusDeleting)
	}
}

// The SDK requests the metadata after each call until it has an answer.
func TestMetadata_IsRequestedOncePerClient(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	metadata, err := s.Client(s.checked).GetAPIMetadata()
	if err != nil || metadata != (scw.ApiMetadata{Domain: "scw.eu", Partition: "scw", Platform: "external"}) {
		t.Errorf("got metadata %+v, error %v", metadata, err)
	}
	for range 3 {
		ask[*function.ListNamespacesResponse](s, &function.ListNamespacesRequest{})
	}
	equal(t, "requests for it", strings.Count(s.Log.String(), "path=/metadata"), 2)
}

// The test lists more than two pages of objects of each kind, in every order.
func TestLists_AllPagesInEveryOrder(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	n := s.namespace("pages-00")
	f := s.function(n.ID, "pages-00")
	const many = 45
	for i := range many {
		name := fmt.Sprintf("pages-%02d", (i*7+1)%many)
		if name != n.Name {
			ask[*function.Namespace](s, &function.CreateNamespaceRequest{Name: name})
			s.function(n.ID, name)
		}
		ask[*function.Token](s, &function.CreateTokenRequest{NamespaceID: &n.ID})
		ask[*function.Cron](s, &function.CreateCronRequest{FunctionID: f.ID, Schedule: "0 0 1 1 *"})
		ask[*function.Domain](s, &function.CreateDomainRequest{FunctionID: f.ID, Hostname: name + ".example.com"})
		ask[*function.Trigger](s, &function.CreateTriggerRequest{
			FunctionID: f.ID, Name: name,
			ScwSqsConfig: &function.CreateTriggerRequestMnqSqsClientConfig{Queue: "q", MnqProjectID: s.ProjectID, MnqRegion: "fr-par"},
		})
	}
	for _, name := range methods() {
		if !strings.HasPrefix(name, "List") || name == "ListFunctionRuntimes" {
			continue
		}
		orders := ordersOf(t, name)
		for _, order := range orders {
			request := requestOf(name, "fr-par", map[bool]string{true: n.ID, false: f.ID}[name == "ListFunctions" || name == "ListTokens"])
			reflect.ValueOf(request).Elem().FieldByName("OrderBy").SetString(order)
			answer, err := invoke(s.api, name, request, scw.WithAllPages())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			wantAllOf(t, name+" "+order, answer, order, many)
		}
	}
}

// ordersOf returns the orders of a list.
func ordersOf(t *testing.T, method string) []string {
	t.Helper()
	field, ok := requestType(method).FieldByName("OrderBy")
	if !ok {
		t.Fatalf("%s: no field OrderBy", method)
	}
	values, ok := reflect.New(field.Type).Elem().Interface().(interface{ String() string })
	if !ok || values.String() == "" {
		t.Fatalf("%s: OrderBy is a %s", method, field.Type)
	}
	orders := []string{"created_at_asc", "created_at_desc"}
	switch method {
	case "ListNamespaces", "ListFunctions":
		return append(orders, "name_asc", "name_desc")
	case "ListDomains":
		return append(orders, "hostname_asc", "hostname_desc")
	}
	return orders
}

// wantAllOf fails unless a list contains each of many objects once, in order.
func wantAllOf(t *testing.T, what string, answer any, order string, many int) {
	t.Helper()
	value := reflect.ValueOf(answer).Elem()
	equal(t, what+", total", int(value.FieldByName("TotalCount").Uint()), many)
	var ids, keys []string
	for field, list := range value.Fields() {
		if field.Type.Kind() != reflect.Slice {
			continue
		}
		for i := range list.Len() {
			object := list.Index(i).Elem()
			ids = append(ids, object.FieldByName("ID").String())
			if key := object.FieldByName(map[bool]string{true: "Hostname", false: "Name"}[strings.HasPrefix(order, "hostname")]); key.IsValid() {
				keys = append(keys, key.String())
			}
		}
	}
	equal(t, what+", objects", len(ids), many)
	slices.Sort(ids)
	equal(t, what+", each once", len(slices.Compact(ids)), many)
	if strings.HasPrefix(order, "created") {
		return
	}
	if strings.HasSuffix(order, "_desc") {
		slices.Reverse(keys)
	}
	if !slices.IsSorted(keys) {
		t.Errorf("%s: got %v", what, keys)
	}
}
