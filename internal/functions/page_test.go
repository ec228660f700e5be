package functions_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/functions"
)

// FuzzPage checks that an accepted page has a bounded size, an offset without overflow,
// and an order by a field of the list.
func FuzzPage(f *testing.F) {
	f.Add(0, 0, "")
	f.Add(1, 100, "name_desc")
	f.Add(1<<30, 100, "created_at_asc")
	f.Add(-1, 101, "name_desc_asc")
	f.Add(int(^uint(0)>>1), 1, "hostname_asc; DROP TABLE tokens")
	f.Fuzz(func(t *testing.T, number, size int, orderBy string) {
		p, err := functions.Page{Number: number, Size: size, OrderBy: orderBy}.Checked("name")
		if err != nil {
			if functions.CodeOf(err) != functions.InvalidArgument {
				t.Errorf("%d, %d, %q: got %v, want the code invalid_argument", number, size, orderBy, err)
			}
			return
		}
		if p.Number < 1 || p.Size < 1 || p.Size > 100 || p.Offset() < 0 || p.Offset()/p.Size != p.Number-1 {
			t.Errorf("%d, %d: got page %d of %d, at %d", number, size, p.Number, p.Size, p.Offset())
		}
		order := p.Order()
		if order.Field != "created_at" && order.Field != "name" || order.Descending != strings.HasSuffix(p.OrderBy, "_desc") {
			t.Errorf("%q: got the order %+v", orderBy, order)
		}
	})
}

// FuzzValidID checks that only UUIDs in canonical form are valid.
func FuzzValidID(f *testing.F) {
	for _, id := range []string{
		"", "00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-00000000000A", "{00000000-0000-4000-8000-000000000000}",
		"urn:uuid:00000000-0000-4000-8000-000000000000", "00000000000040008000000000000000", "00000000-0000-4000-8000-000000000000\n",
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		parsed, err := uuid.Parse(id)
		canonical := err == nil && parsed.String() == id
		if functions.ValidID(id) != canonical {
			t.Errorf("%q: valid %t, canonical %t", id, functions.ValidID(id), canonical)
		}
	})
}
