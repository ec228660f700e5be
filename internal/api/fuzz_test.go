package api_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/functions"
)

// FuzzQueryPage reads pages from queries. What is no number is refused.
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
				t.Errorf("%q is refused with %v", query, err)
			}
			return
		}
		given := r.URL.Query()
		if page.Number < 0 || page.Size < 0 || (page.Number == 0) != (given.Get("page") == "") || (page.Size == 0) != (given.Get("page_size") == "") {
			t.Errorf("%q is read as %+v", query, page)
		}
	})
}

// FuzzDecode reads bodies as every request that there is. What is wrong with one is
// told without a word of it: it may be a secret.
func FuzzDecode(f *testing.F) {
	const secret = "correct-horse"
	for _, body := range []string{
		"", "{}", "null", "[]", `{"name":1}`, `{"timeout":"10s"}`, `{"timeout":"` + secret + `"}`, `{"secret_environment_variables":[{"key":"k","value":"` + secret + `"}]}`,
		`{"secret_environment_variables":"` + secret + `"}`, `{"sqs_config":{"secret_key":["` + secret + `"]}}`, `{"args":{"a":1e999}}`, `{"` + secret, `{"min_scale":1e30}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, err := range api.Decoded(body) {
			if err == nil {
				continue
			}
			if functions.CodeOf(err) != functions.InvalidArgument {
				t.Errorf("%q is refused with %v", body, err)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the refusal repeats the body: %v", err)
			}
		}
	})
}
