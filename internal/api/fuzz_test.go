package api_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/functions"
)

// FuzzQueryPage checks that invalid numbers in a query are invalid arguments.
func FuzzQueryPage(f *testing.F) {
	for _, query := range []string{"", "page=1&page_size=100&order_by=name_asc", "page=0", "page=-1", "page=99999999999999999999", "page=1&page=x", "page=%31", "page_size=0x10", "page=+1", "page=;"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = &url.URL{Path: "/", RawQuery: query}
		page, err := api.QueryPage(r)
		if err != nil {
			if functions.CodeOf(err) != functions.InvalidArgument {
				t.Errorf("%q: got %v, want an invalid argument", query, err)
			}
			return
		}
		given := r.URL.Query()
		if page.Number < 0 || page.Size < 0 || (page.Number == 0) != (given.Get("page") == "") || (page.Size == 0) != (given.Get("page_size") == "") {
			t.Errorf("%q: got %+v, want the numbers of the query", query, page)
		}
	})
}

// FuzzDecode decodes bodies as each type of request. The error must not quote the body,
// which may contain a secret.
func FuzzDecode(f *testing.F) {
	const secret = "correct-horse"
	for _, body := range []string{
		"", "{}", "null", "[]", `{"name":1}`, `{"timeout":"10s"}`, `{"timeout":"` + secret + `"}`, `{"secret_environment_variables":[{"key":"k","value":"` + secret + `"}]}`,
		`{"secret_environment_variables":"` + secret + `"}`, `{"sqs_config":{"secret_key":["` + secret + `"]}}`, `{"args":{"a":1e999}}`, `{"` + secret, `{"min_scale":1e30}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, err := range api.DecodeAll(body) {
			if err == nil {
				continue
			}
			if functions.CodeOf(err) != functions.InvalidArgument {
				t.Errorf("%q: got %v, want an invalid argument", body, err)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error quotes the body: %v", err)
			}
		}
	})
}
