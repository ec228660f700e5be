package functions

import "strings"

const (
	defaultPageSize = 20
	maxPageSize     = 100
	maxPage         = 1 << 30
)

// A Page says which part of a list to give, and in which order.
type Page struct {
	// Number counts from 1; zero means the first.
	Number int
	// Size is from 1 to 100; zero means 20.
	Size int
	// OrderBy is a field, "_", and "asc" or "desc", such as "created_at_asc",
	// which empty means.
	OrderBy string
}

// Order is a Page's order, taken apart.
type Order struct {
	Field      string
	Descending bool
}

// Order returns the order to list in.
func (p Page) Order() Order {
	field, descending := strings.CutSuffix(p.OrderBy, "_desc")
	return Order{Field: strings.TrimSuffix(field, "_asc"), Descending: descending}
}

// Offset returns how many objects come before the page.
func (p Page) Offset() int { return (p.Number - 1) * p.Size }

// Checked fills in the defaults, and checks the page against the fields that
// the list can be ordered by, besides the time of creation.
func (p Page) Checked(fields ...string) (Page, error) {
	if p.Number == 0 {
		p.Number = 1
	}
	if p.Size == 0 {
		p.Size = defaultPageSize
	}
	if p.OrderBy == "" {
		p.OrderBy = "created_at_asc"
	}
	if p.Number < 1 || p.Number > maxPage {
		return p, outOfBounds("page", "must be from 1 to %d, is %d", maxPage, p.Number)
	}
	if p.Size < 1 || p.Size > maxPageSize {
		return p, outOfBounds("page_size", "must be from 1 to %d, is %d", maxPageSize, p.Size)
	}
	var choices []string
	for _, field := range append([]string{"created_at"}, fields...) {
		choices = append(choices, field+"_asc", field+"_desc")
	}
	return p, oneOf("order_by", p.OrderBy, choices...)
}
