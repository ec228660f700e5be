package e2e_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scaleway/scaleway-sdk-go/scw"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/nameserver"
)

func TestDomain_CreateReadDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.bareFunction("domain")
	_, _, created := w.api(http.MethodPost, "/domains", `{"function_id":"`+f.ID+`","hostname":"API.Example.com."}`)
	if got := keys(t, created); got != "id,hostname,function_id,url,status,error_message" {
		t.Errorf("got keys of a domain %s", got)
	}
	wantMatch(t, "a new domain", created, `"hostname":"api.example.com".*"url":"","status":"pending","error_message":null\}$`)
	listed := must[*function.ListDomainsResponse](t)(w.ListDomains(&function.ListDomainsRequest{FunctionID: f.ID, OrderBy: function.ListDomainsRequestOrderByHostnameDesc}, scw.WithAllPages()))
	if listed.TotalCount != 1 {
		t.Fatalf("got list %+v", listed)
	}
	d := must[*function.Domain](t)(w.WaitForDomain(&function.WaitForDomainRequest{DomainID: listed.Domains[0].ID, RetryInterval: often}))
	if d.Status != function.DomainStatusReady || d.URL != "https://api.example.com" {
		t.Errorf("got domain %+v", d)
	}
	status, _, body := w.api(http.MethodPost, "/domains", `{"function_id":"`+f.ID+`","hostname":"api.example.com"}`)
	wantRefusal(t, "the same again", status, body, http.StatusConflict, "resource already exists")
	if deleted := must[*function.Domain](t)(w.DeleteDomain(&function.DeleteDomainRequest{DomainID: d.ID})); deleted.Status != function.DomainStatusDeleting {
		t.Errorf("got status %s of the deleted domain", deleted.Status)
	}
	status, _, body = w.api(http.MethodGet, "/domains/"+d.ID, "")
	wantRefusal(t, "the deleted domain", status, body, http.StatusNotFound, "Domain was not found")
	for what, hostname := range map[string]string{
		"none": "", "one label": "localhost", "a wildcard": "*.example.com", "a port": "example.com:80", "an address": "192.0.2.1",
		"a scheme": "https://example.com", "a function's own": f.DomainName, "a space": "a b.com", "a long one": strings.Repeat("a.", 150) + "com",
	} {
		status, _, body := w.api(http.MethodPost, "/domains", `{"function_id":"`+f.ID+`","hostname":"`+hostname+`"}`)
		wantRefusal(t, what, status, body, http.StatusBadRequest, `"argument_name":"hostname"`)
	}
}

// The test uses a real DNS server.
func TestDomain_WithoutRecordOfFunction(t *testing.T) {
	t.Parallel()
	names := nameserver.Start(t)
	var ahead time.Duration
	var mu sync.Mutex
	w := newWorld(t, jetontest.Option(func(c *server.Config) {
		c.DNSResolver = names.Address()
		c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return time.Now().Add(ahead).UTC() }
	}))
	f := w.bareFunction("dns")
	body := `{"function_id":"` + f.ID + `","hostname":"www.example.com"}`
	status, _, got := w.api(http.MethodPost, "/domains", body)
	wantRefusal(t, "a name that is nowhere", status, got, http.StatusBadRequest, `{"message":"could not validate domain: www.example.com is not in the DNS`)
	names.Alias("www.example.com", "elsewhere.example.com")
	status, _, got = w.api(http.MethodPost, "/domains", body)
	wantRefusal(t, "a name of another", status, got, http.StatusBadRequest, "could not validate domain")
	names.Alias("www.example.com", f.DomainName)
	d := must[*function.Domain](t)(w.CreateDomain(&function.CreateDomainRequest{FunctionID: f.ID, Hostname: "www.example.com"}))
	if d = must[*function.Domain](t)(w.WaitForDomain(&function.WaitForDomainRequest{DomainID: d.ID, RetryInterval: often})); d.Status != function.DomainStatusReady {
		t.Errorf("got domain %+v", d)
	}

	// The record changes while the domain is pending: the POST has resolved it once, and
	// the next look-up finds no alias.
	names.Alias("late.example.com", f.DomainName)
	names.Limit(1)
	d = must[*function.Domain](t)(w.CreateDomain(&function.CreateDomainRequest{FunctionID: f.ID, Hostname: "late.example.com"}))
	mu.Lock()
	ahead = 4 * time.Minute
	mu.Unlock()
	d = must[*function.Domain](t)(w.WaitForDomain(&function.WaitForDomainRequest{DomainID: d.ID, RetryInterval: often}))
	if d.Status != function.DomainStatusError || d.ErrorMessage == nil ||
		*d.ErrorMessage != "failed to create domain: check that the domain correctly points to the function URL (https://"+f.DomainName+")" {
		t.Errorf("the domain without a record: got %+v", d)
	}
}
