package sdk_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/test/nameserver"
)

// changes reports whether a method changes objects, or returns a URL that permits it.
func changes(method string) bool {
	for _, verb := range []string{"Create", "Update", "Delete", "Deploy", "GetFunctionUploadURL"} {
		if strings.HasPrefix(method, verb) {
			return true
		}
	}
	return false
}

// The test calls every method with invalid keys, and with keys without the permission.
func TestAuthentication_OfEveryMethod(t *testing.T) {
	t.Parallel()
	// The server's clock is moved forward, so that the key expires at once.
	var ahead atomic.Int64
	s := newSession(t, func(c *server.Config) {
		c.WrongKeys = 0
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	expired, err := s.Admin.CreateKey(t.Context(), admin.CreateKey{Permissions: []string{iam.FullAccess}, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	key := s.Key("", iam.FullAccess)
	unknown := key
	unknown.SecretKey = unknownID
	none, err := scw.NewClient(s.checked, scw.WithAPIURL(s.APIURL), scw.WithoutAuth(), scw.WithDefaultRegion(scw.RegionFrPar), scw.WithDefaultProjectID(s.ProjectID))
	if err != nil {
		t.Fatal(err)
	}
	ahead.Store(int64(2 * time.Hour))
	for reason, api := range map[string]*function.API{
		"not_found": s.as(unknown), "expired": s.as(expired), "invalid_argument": function.NewAPI(none),
	} {
		for _, method := range methods() {
			_, err := invoke(api, method, requestOf(method, "fr-par", unknownID))
			denied, ok := errors.AsType[*scw.DeniedAuthenticationError](err)
			if !ok || denied.Reason != reason || denied.Method != "api_key" {
				t.Errorf("%s, %s: got error %v", reason, method, err)
			}
		}
	}
	readOnly, private := s.as(s.Key("", iam.ReadOnly)), s.as(s.Key("", iam.PrivateAccess))
	for _, method := range methods() {
		for set, api := range map[string]*function.API{iam.ReadOnly: readOnly, iam.PrivateAccess: private} {
			_, err := invoke(api, method, requestOf(method, "fr-par", unknownID))
			denied, ok := errors.AsType[*scw.PermissionsDeniedError](err)
			if ok != (set == iam.PrivateAccess || changes(method)) {
				t.Errorf("%s, %s: got error %v", set, method, err)
			}
			if ok && (len(denied.Details) != 1 || (denied.Details[0].Action == "write") != changes(method)) {
				t.Errorf("%s, %s: got details %+v", set, method, denied.Details)
			}
		}
	}
}

// The answer has the form of the proxy in front of the real service: 429 without a body.
func TestWrongKeys_AreRateLimited(t *testing.T) {
	t.Parallel()
	s := newSession(t, func(c *server.Config) { c.WrongKeys = 3 })
	key := s.Key("", iam.FullAccess)
	key.SecretKey = unknownID
	api := s.as(key)
	var err error
	for range 10 {
		_, err = api.ListFunctionRuntimes(&function.ListFunctionRuntimesRequest{})
	}
	if refused, ok := errors.AsType[*scw.ResponseError](err); !ok || refused.StatusCode != http.StatusTooManyRequests || len(refused.RawBody) != 0 {
		t.Errorf("after ten wrong keys: got error %v, want 429 without a body", err)
	}
	ask[*function.ListFunctionRuntimesResponse](s, &function.ListFunctionRuntimesRequest{})
}

// notFound returns the message of a method whose path names an object that does not
// exist. Named is false if the method's path names no object.
func notFound(method, id string) (message string, named bool) {
	switch {
	case strings.HasPrefix(method, "Create"), strings.HasPrefix(method, "List"):
		return "", false
	case method == "DeleteTrigger":
		return "trigger does not exist: could not find trigger with id " + id, true
	case strings.HasSuffix(method, "Trigger"):
		return "trigger does not exist", true
	}
	for _, noun := range []string{"Namespace", "Function", "Token", "Cron", "Domain"} {
		if strings.Contains(strings.TrimPrefix(method, "WaitFor"), noun) {
			return noun + " was not found", true
		}
	}
	return "", false
}

// The answers for an object that does not exist, of another project and of another
// region are the same.
func TestNotFound_OfEveryMethod(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	n := s.namespace("mine")
	f := s.function(n.ID, "mine")
	own := map[string]string{
		"Namespace": n.ID, "Function": f.ID,
		"Token":   ask[*function.Token](s, &function.CreateTokenRequest{FunctionID: &f.ID}).ID,
		"Cron":    ask[*function.Cron](s, &function.CreateCronRequest{FunctionID: f.ID, Schedule: "@yearly"}).ID,
		"Domain":  ask[*function.Domain](s, &function.CreateDomainRequest{FunctionID: f.ID, Hostname: "mine.example.com"}).ID,
		"Trigger": ask[*function.Trigger](s, &function.CreateTriggerRequest{FunctionID: f.ID, Name: "t", ScwSqsConfig: &function.CreateTriggerRequestMnqSqsClientConfig{Queue: "q"}}).ID,
	}
	other, err := s.Admin.CreateProject(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	otherProject := s.as(s.Key(other.ID, iam.FullAccess))
	check := func(who string, api *function.API, method string, region scw.Region, id string) {
		t.Helper()
		message, named := notFound(method, id)
		if !named {
			return
		}
		_, err := invoke(api, method, requestOf(method, region, id))
		refused, ok := errors.AsType[*scw.ResponseError](err)
		want := fmt.Sprintf(`{"message":%q}`, message)
		if !ok || refused.StatusCode != http.StatusNotFound || string(refused.RawBody) != want {
			t.Errorf("%s, %s: got error %v, want 404 %s", who, method, err, want)
		}
	}
	named := 0
	for _, method := range methods() {
		if _, ok := notFound(method, unknownID); ok {
			named++
		}
		check("no object", s.api, method, "fr-par", unknownID)
		for noun, id := range own {
			if strings.Contains(strings.TrimPrefix(method, "WaitFor"), noun) {
				check("another project", otherProject, method, "fr-par", id)
				check("another region", s.api, method, "nl-ams", id)
			}
		}
		_, err := invoke(s.api, method, requestOf(method, "it-mil", unknownID))
		if invalid, ok := errors.AsType[*scw.InvalidArgumentsError](err); !ok || invalid.Details[0].ArgumentName != "region" || invalid.Details[0].Reason != "unknown" {
			t.Errorf("%s in an unknown region: got error %v", method, err)
		}
	}
	equal(t, "methods that name an object", named, 25)
	// The refused requests have not changed the objects.
	for noun, id := range own {
		if _, err := invoke(s.api, "Get"+noun, requestOf("Get"+noun, "fr-par", id)); err != nil {
			t.Errorf("%s: got error %v", noun, err)
		}
	}
}

// invalid and the functions below return checks of an error of the SDK.
func invalid(argument, reason string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*scw.InvalidArgumentsError](err)
		return ok && len(e.Details) == 1 && e.Details[0].ArgumentName == argument && e.Details[0].Reason == reason && e.Details[0].HelpMessage != ""
	}
}

func bare(status int, prefix string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*scw.ResponseError](err)
		return ok && e.StatusCode == status && e.Type == "" && strings.HasPrefix(e.Message, prefix)
	}
}

func exceeded(resource string, quota, current uint32) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*scw.QuotasExceededError](err)
		return ok && len(e.Details) == 1 && e.Details[0] == scw.QuotasExceededErrorDetail{Resource: resource, Quota: quota, Current: current}
	}
}

func exists(resource string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*scw.ResponseError](err)
		return ok && e.StatusCode == http.StatusConflict && e.Type == "already_exists" && e.Resource == resource
	}
}

// The test causes each error of the API's documentation.
func TestDocumentedErrors_AreReturned(t *testing.T) {
	t.Parallel()
	names := nameserver.Start(t)
	s := newSession(t, func(c *server.Config) {
		c.DNSResolver = names.Address()
		c.Limits.Namespaces, c.Limits.Functions, c.Limits.Domains, c.Limits.Variables = 2, 2, 1, 1
	})
	n := s.namespace("taken")
	f := s.function(n.ID, "taken")
	full := s.namespace("full")
	s.function(full.ID, "full")
	names.Alias("taken.example.com", f.DomainName)
	names.Alias("more.example.com", f.DomainName)
	ask[*function.Domain](s, &function.CreateDomainRequest{FunctionID: f.ID, Hostname: "taken.example.com"})
	of := func(change func(*function.CreateFunctionRequest)) any {
		request := &function.CreateFunctionRequest{NamespaceID: n.ID, Name: "f", Runtime: "node22"}
		change(request)
		return request
	}
	two := map[string]string{"A": "1", "B": "2"}
	for what, test := range map[string]struct {
		request any
		want    func(error) bool
	}{
		"a namespace of the same name":   {&function.CreateNamespaceRequest{Name: "taken"}, bare(409, "Namespace already exist")},
		"a namespace's name":             {&function.CreateNamespaceRequest{Name: "1"}, bare(400, "namespace name must begin with a letter, followed by letters, numbers or hyphens, and end with a letter or number.")},
		"too many namespaces":            {&function.CreateNamespaceRequest{Name: "more"}, exceeded("namespace", 2, 2)},
		"too many variables":             {&function.UpdateNamespaceRequest{NamespaceID: n.ID, EnvironmentVariables: &two}, exceeded("environment variable", 1, 2)},
		"too many secrets":               {&function.UpdateNamespaceRequest{NamespaceID: n.ID, SecretEnvironmentVariables: []*function.Secret{{Key: "A", Value: pointer("")}, {Key: "B", Value: pointer("")}}}, exceeded("secret environment variable", 1, 2)},
		"a reserved variable":            {&function.UpdateNamespaceRequest{NamespaceID: n.ID, EnvironmentVariables: &map[string]string{"SCW_PUBLIC": ""}}, invalid("environment_variables", "constraint")},
		"a namespace in another project": {&function.CreateNamespaceRequest{Name: "x", ProjectID: unknownID}, func(err error) bool { _, ok := errors.AsType[*scw.PermissionsDeniedError](err); return ok }},
		"an unknown order":               {&function.ListNamespacesRequest{OrderBy: "size_asc"}, invalid("order_by", "constraint")},
		"too large a page":               {&function.ListNamespacesRequest{PageSize: pointer(uint32(101))}, invalid("page_size", "constraint")},
		"a page before the first":        {&function.ListNamespacesRequest{Page: pointer(int32(-1))}, invalid("page", "format")},

		"a function of the same name":   {of(func(r *function.CreateFunctionRequest) { r.Name = "taken" }), exists("function")},
		"a function's name":             {of(func(r *function.CreateFunctionRequest) { r.Name = "A" }), bare(400, "function name must consist of lower case alphanumeric characters or '-', starts and ends with an alphanumeric character")},
		"a handler":                     {of(func(r *function.CreateFunctionRequest) { r.Handler = pointer("handle") }), bare(400, "handler value is invalid")},
		"a runtime":                     {of(func(r *function.CreateFunctionRequest) { r.Runtime = "cobol60" }), invalid("runtime", "unknown")},
		"no runtime":                    {of(func(r *function.CreateFunctionRequest) { r.Runtime = "" }), invalid("runtime", "required")},
		"a memory limit":                {of(func(r *function.CreateFunctionRequest) { r.MemoryLimit = pointer(uint32(300)) }), invalid("memory_limit", "constraint")},
		"a timeout":                     {of(func(r *function.CreateFunctionRequest) { r.Timeout = &scw.Duration{Seconds: 7200} }), invalid("timeout", "constraint")},
		"a scale":                       {of(func(r *function.CreateFunctionRequest) { r.MaxScale = pointer(uint32(51)) }), invalid("max_scale", "constraint")},
		"too many functions":            {of(func(*function.CreateFunctionRequest) {}), exceeded("function", 2, 2)},
		"an unknown namespace":          {of(func(r *function.CreateFunctionRequest) { r.NamespaceID = unknownID }), bare(404, "Namespace was not found")},
		"functions without a namespace": {&function.ListFunctionsRequest{}, invalid("namespace_id", "required")},
		"an archive that is too large":  {&function.GetFunctionUploadURLRequest{FunctionID: f.ID, ContentLength: 100<<20 + 1}, invalid("content_length", "constraint")},
		"code that was never uploaded":  {&function.GetFunctionDownloadURLRequest{FunctionID: f.ID}, bare(404, "Code of the function was not found")},

		"a token without a scope":          {&function.CreateTokenRequest{}, invalid("function_id", "required")},
		"a token with two scopes":          {&function.CreateTokenRequest{FunctionID: &f.ID, NamespaceID: &n.ID}, invalid("function_id", "constraint")},
		"a token of an unknown function":   {&function.CreateTokenRequest{FunctionID: pointer(unknownID)}, bare(404, "Function was not found")},
		"tokens without a scope":           {&function.ListTokensRequest{}, invalid("function_id", "required")},
		"a cron's schedule":                {&function.CreateCronRequest{FunctionID: f.ID, Schedule: "never"}, invalid("schedule", "format")},
		"a cron without a function":        {&function.CreateCronRequest{Schedule: "@daily"}, invalid("function_id", "required")},
		"a cron of an unknown function":    {&function.CreateCronRequest{FunctionID: unknownID, Schedule: "@daily"}, bare(404, "Function was not found")},
		"a hostname without a record":      {&function.CreateDomainRequest{FunctionID: f.ID, Hostname: "nowhere.example.com"}, bare(400, "could not validate domain")},
		"a malformed hostname":             {&function.CreateDomainRequest{FunctionID: f.ID, Hostname: "localhost"}, invalid("hostname", "format")},
		"a hostname in use":                {&function.CreateDomainRequest{FunctionID: f.ID, Hostname: "taken.example.com"}, exists("domain")},
		"too many domains":                 {&function.CreateDomainRequest{FunctionID: f.ID, Hostname: "more.example.com"}, exceeded("domain", 1, 1)},
		"a trigger without a source":       {&function.CreateTriggerRequest{FunctionID: f.ID, Name: "t"}, invalid("config", "required")},
		"a trigger of an unknown function": {&function.CreateTriggerRequest{FunctionID: unknownID, Name: "t", ScwSqsConfig: &function.CreateTriggerRequestMnqSqsClientConfig{Queue: "q"}}, bare(404, "Function was not found")},
		"a trigger of a malformed subject": {&function.CreateTriggerRequest{FunctionID: f.ID, Name: "t", ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{Subject: "a..b", MnqNatsAccountID: unknownID}}, invalid("scw_nats_config.subject", "format")},
	} {
		method := strings.TrimSuffix(fmt.Sprintf("%T", test.request), "Request")
		if _, err := invoke(s.api, method[strings.LastIndexByte(method, '.')+1:], test.request); !test.want(err) {
			t.Errorf("%s: got error %v", what, err)
		}
	}
}

// Functions and tokens cannot be created in a namespace that waits for its keys.
func TestTransientState_OfNamespace(t *testing.T) {
	t.Parallel()
	made := make(chan struct{})
	s := newSession(t, func(c *server.Config) {
		generate := c.NewKeyPair
		c.NewKeyPair = func() (token.KeyPair, error) { <-made; return generate() }
	})
	t.Cleanup(func() { close(made) })
	n := ask[*function.Namespace](s, &function.CreateNamespaceRequest{Name: "waiting"})
	for what, request := range map[string]any{
		"CreateFunction": &function.CreateFunctionRequest{NamespaceID: n.ID, Name: "f", Runtime: "node22"},
		"CreateToken":    &function.CreateTokenRequest{NamespaceID: &n.ID},
	} {
		_, err := invoke(s.api, what, request)
		if e, ok := errors.AsType[*scw.TransientStateError](err); !ok || e.Resource != "namespace" || e.ResourceID != n.ID || e.CurrentState != "pending" {
			t.Errorf("%s: got error %v, want a transient state", what, err)
		}
	}
}
