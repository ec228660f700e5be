package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// pagesMany reads lists of tokens page by page, in both orders, after tokens were added
// and deleted, and compares each page and the total with a sorted list.
func pagesMany(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "pages")
	put(t, s, project, namespace(1), namespace(2), theFunction())
	all := map[string]functions.Token{}
	for n := range 60 {
		k := tokenOf(n)
		// Tokens with the same creation time are ordered by ID.
		k.CreatedAt = epoch.Add(time.Duration(n*7%20) * time.Second)
		switch n % 5 {
		case 0:
			k.NamespaceID = id(3, 2)
		case 1:
			k.NamespaceID, k.FunctionID = "", id(4, 1)
		}
		put(t, s, k)
		all[k.ID] = k
	}
	check := func(when string) {
		t.Helper()
		for _, filter := range []functions.Filter{
			{Region: "fr-par", ProjectID: project.ID, NamespaceID: id(3, 1)},
			{NamespaceID: id(3, 2)},
			{Region: "fr-par", ProjectID: project.ID, FunctionID: id(4, 1)},
			{Region: "nl-ams", NamespaceID: id(3, 1)},
			{ProjectID: id(1, 2), FunctionID: id(4, 1)},
			{NamespaceID: id(3, 3)},
			{},
		} {
			for _, order := range []string{"created_at_asc", "created_at_desc"} {
				for _, size := range []int{1, 7, 100} {
					checkPages(t, s, fmt.Sprintf("%s, %+v, %s", when, filter, order), filter,
						functions.Page{Size: size, OrderBy: order}, wanted(all, filter, order))
				}
			}
		}
	}
	check("all exist")
	err := s.Update(t.Context(), func(tx store.Tx) (err error) {
		for n := 0; n < 60; n += 3 {
			err = errors.Join(err, tx.Delete(tokenOf(n)))
			delete(all, id(6, n))
		}
		// A changed token is not counted again, and the deletion of a missing one does
		// not reduce the count.
		k := all[id(6, 1)]
		k.Status = functions.Ready
		all[k.ID] = k
		return errors.Join(err, tx.Put(k), tx.Delete(tokenOf(99)))
	})
	if err != nil {
		t.Fatal(err)
	}
	check("some are deleted")
	for _, k := range all {
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(k) }); err != nil {
			t.Fatal(err)
		}
		delete(all, k.ID)
	}
	check("none is left")
}

// wanted returns the sorted list of the tokens that match a filter.
func wanted(all map[string]functions.Token, f functions.Filter, order string) []functions.Token {
	var list []functions.Token
	for _, k := range all {
		if (f.Region == "" || f.Region == k.Region) && (f.ProjectID == "" || f.ProjectID == k.ProjectID) &&
			(f.NamespaceID == "" || f.NamespaceID == k.NamespaceID) && (f.FunctionID == "" || f.FunctionID == k.FunctionID) {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b functions.Token) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	if order == "created_at_desc" {
		slices.Reverse(list)
	}
	return list
}

// checkPages reads all pages of a list, and two after its end.
func checkPages(t *testing.T, s store.Store, what string, f functions.Filter, p functions.Page, want []functions.Token) {
	t.Helper()
	for p.Number = 1; p.Number <= len(want)/p.Size+2; p.Number++ {
		first := min(p.Offset(), len(want))
		page := want[first:min(first+p.Size, len(want))]
		view(t, s, func(tx store.Tx) error {
			found, total, err := tx.Tokens(f, p)
			if total != len(want) || !slices.Equal(found, page) {
				t.Errorf("%s, page %d with size %d: got %d tokens of %d, want %d of %d in the right order", what, p.Number, p.Size, len(found), total, len(page), len(want))
			}
			return err
		})
	}
}
