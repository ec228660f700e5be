package storetest

import (
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// searchesTokens checks the filters that are compared with every token.
func searchesTokens(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "searches")
	put(t, s, project, namespace(1), theFunction())
	all := make([]functions.Token, 6)
	for i, description := range []string{"Billing", "billing 100%", "bill_ing", `with "quotes" \ and <signs>`, "", "é"} {
		all[i] = tokenOf(i + 1)
		all[i].Description = description
		all[i].ExpiresAt = epoch.Add(time.Duration(i) * time.Hour)
		put(t, s, all[i])
	}
	all[4].ExpiresAt = time.Time{}
	put(t, s, all[4])
	page := functions.Page{Number: 1, Size: 100, OrderBy: "created_at_asc"}
	tests := map[string]struct {
		filter functions.Filter
		page   functions.Page
		want   []functions.Token
	}{
		"a part, in any case":      {functions.Filter{Search: "BILL"}, page, all[:3]},
		"a percent sign":           {functions.Filter{Search: "100%"}, page, all[1:2]},
		"an underscore":            {functions.Filter{Search: "l_i"}, page, all[2:3]},
		"JSON":                     {functions.Filter{Search: `"quotes" \ and <`}, page, all[3:4]},
		"another letter":           {functions.Filter{Search: "é"}, page, all[5:6]},
		"a field of the document":  {functions.Filter{Search: "Digest"}, page, nil},
		"an ID":                    {functions.Filter{Search: all[1].ID}, page, all[1:2]},
		"a quote":                  {functions.Filter{Search: `' OR 1=1 --`}, page, nil},
		"a zero byte":              {functions.Filter{Search: "\x00"}, page, nil},
		"expiring soon":            {functions.Filter{ExpiresAfter: epoch, ExpiresBefore: epoch.Add(2 * time.Hour)}, page, all[1:3]},
		"expiring soon and a part": {functions.Filter{Search: "100", ExpiresAfter: epoch, ExpiresBefore: epoch.Add(2 * time.Hour)}, page, all[1:2]},
		"one more than a page":     {functions.Filter{Search: "bill"}, functions.Page{Number: 1, Size: 1}, all[:2]},
		"the second page":          {functions.Filter{Search: "bill"}, functions.Page{Number: 3, Size: 1}, all[2:3]},
		"another project":          {functions.Filter{Search: "bill", ProjectID: id(1, 9)}, page, nil},
	}
	for name, test := range tests {
		view(t, s, func(tx store.Tx) error {
			found, _, err := tx.Tokens(test.filter, test.page)
			equal(t, name, found, test.want)
			return err
		})
	}
	view(t, s, func(tx store.Tx) error {
		found, total, err := tx.Tokens(functions.Filter{}, functions.Page{Number: 1, Size: 2, OrderBy: "created_at_desc"})
		equal(t, "newest of all scopes", found, []functions.Token{all[5], all[4]})
		equal(t, "number of all", total, len(all))
		return err
	})
}
