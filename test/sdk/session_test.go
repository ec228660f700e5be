// Package sdk_test calls every method of the official SDK's Functions package against a
// running server: with success, with each refusal that all methods share, and with each
// documented error. The methods are found by reflection, so that the tests fail if a
// newer SDK adds a method that they do not cover.
package sdk_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
)

const (
	unknownID = "00000000-0000-4000-8000-000000000000"
	patience  = await.Patience
)

var often = pointer(10 * time.Millisecond)

func pointer[T any](value T) *T { return &value }

// A session is a running server and the methods that have been called.
type session struct {
	*jetontest.Jeton
	t   *testing.T
	api *function.API
	// checked makes a client check its calls against the OpenAPI document.
	checked scw.ClientOption

	mu     sync.Mutex
	called map[string]bool
}

func newSession(t *testing.T, options ...jetontest.Option) *session {
	t.Helper()
	j := jetontest.Start(t, options...)
	checked := checkedClient(t, j.APIURL)
	return &session{Jeton: j, t: t, api: function.NewAPI(j.Client(checked)), checked: checked, called: map[string]bool{}}
}

// as returns a client with an API key.
func (s *session) as(key admin.APIKey) *function.API {
	return function.NewAPI(s.ClientOf(key, s.checked))
}

// methods returns the names of all methods that call the API.
func methods() []string {
	var names []string
	for m := range reflect.TypeFor[*function.API]().Methods() {
		if m.Name != "Regions" { // It sends no request.
			names = append(names, m.Name)
		}
	}
	return names
}

// requestType returns the type of a method's request.
func requestType(method string) reflect.Type {
	m, _ := reflect.TypeFor[*function.API]().MethodByName(method)
	return m.Type.In(1).Elem()
}

// invoke calls a method by its name.
func invoke(api *function.API, method string, request any, options ...scw.RequestOption) (any, error) {
	arguments := []reflect.Value{reflect.ValueOf(request)}
	for _, option := range options {
		arguments = append(arguments, reflect.ValueOf(option))
	}
	results := reflect.ValueOf(api).MethodByName(method).Call(arguments)
	err, _ := results[1].Interface().(error)
	return results[0].Interface(), err
}

// ask calls the method with this type of request, and fails the test unless it succeeds.
func ask[Answer, Request any](s *session, request *Request, options ...scw.RequestOption) Answer {
	s.t.Helper()
	method := strings.TrimSuffix(reflect.TypeFor[Request]().Name(), "Request")
	answer, err := invoke(s.api, method, request, options...)
	if err != nil {
		s.t.Fatalf("%s: %v", method, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.called[method] = true
	typed, ok := answer.(Answer)
	if !ok {
		s.t.Fatalf("%s: got a %T", method, answer)
	}
	return typed
}

// wantAll fails unless every method has been called.
func (s *session) wantAll() {
	s.t.Helper()
	for _, method := range methods() {
		if !s.called[method] {
			s.t.Errorf("%s was not called successfully", method)
		}
	}
}

// requestOf returns a request of a method in a region, with the same ID for each
// parameter of its path and its query.
func requestOf(method string, region scw.Region, id string) any {
	request := reflect.New(requestType(method))
	for field, value := range request.Elem().Fields() {
		inBody := field.Tag.Get("json") != "-" && field.Tag.Get("json") != ""
		switch {
		case field.Name == "Region":
			value.Set(reflect.ValueOf(region))
		case field.Name == "RetryInterval":
			value.Set(reflect.ValueOf(often))
		case inBody:
		case strings.HasSuffix(field.Name, "ID") && value.Kind() == reflect.String:
			value.SetString(id)
		case method == "ListTokens" && field.Name == "NamespaceID":
			value.Set(reflect.ValueOf(&id))
		}
	}
	return request.Interface()
}

func (s *session) namespace(name string) *function.Namespace {
	s.t.Helper()
	n := ask[*function.Namespace](s, &function.CreateNamespaceRequest{Name: name})
	return ask[*function.Namespace](s, &function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: often, Timeout: pointer(patience)})
}

func (s *session) function(namespaceID, name string) *function.Function {
	s.t.Helper()
	return ask[*function.Function](s, &function.CreateFunctionRequest{NamespaceID: namespaceID, Name: name, Runtime: "python311"})
}

// equal fails unless got is want.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// A change of the methods' signatures must not leave the tests without methods.
func TestMethods_AreFoundByReflection(t *testing.T) {
	t.Parallel()
	found := methods()
	for _, name := range []string{"CreateToken", "WaitForTrigger", "GetFunctionDownloadURL", "ListFunctionRuntimes"} {
		if !slices.Contains(found, name) {
			t.Errorf("got methods %v, want %s among them", found, name)
		}
	}
	if len(found) < 38 {
		t.Errorf("got %d methods, want at least the 38 of v1.39", len(found))
	}
}

func TestRegions_AreThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	made := map[string]scw.Region{}
	for _, region := range s.api.Regions() {
		n := ask[*function.Namespace](s, &function.CreateNamespaceRequest{Region: region, Name: "same-name"})
		equal(t, "the region", n.Region, region)
		made[n.ID] = region
	}
	for id, region := range made {
		listed := ask[*function.ListNamespacesResponse](s, &function.ListNamespacesRequest{Region: region})
		equal(t, "namespaces in "+string(region), int(listed.TotalCount), 1)
		for _, other := range s.api.Regions() {
			_, err := s.api.GetNamespace(&function.GetNamespaceRequest{Region: other, NamespaceID: id})
			if (err == nil) != (other == region) {
				t.Errorf("read the namespace of %s in %s: got error %v", region, other, err)
			}
		}
	}
	equal(t, "regions", fmt.Sprint(slices.Sorted(maps.Values(made))), "[fr-par nl-ams pl-waw]")
}
