package functions

import "strings"

const (
	defaultPageSize = 20
	maxPageSize     = 100
	maxPage         = 1 << 30
)

// A Page selects a part of a list, and its order.
type Page struct {
	// Number counts from 1; zero means the first.
	Number int
	// Size is from 1 to 100; zero means 20.
	Size int
	// OrderBy is a field, "_", and "asc" or "desc". Empty means "created_at_asc".
	OrderBy string
}

// Order is the order of a list.
type Order struct {
	Field      string
	Descending bool
}

// Order returns the order that OrderBy describes.
func (p Page) Order() Order {
	field, descending := strings.CutSuffix(p.OrderBy, "_desc")
	return Order{Field: strings.TrimSuffix(field, "_asc"), Descending: descending}
}

// Offset returns the number of objects before the page.
func (p Page) Offset() int { return (p.Number - 1) * p.Size }

// Checked returns the page with defaults for zero values, or an Error. The list can be
// ordered by the fields and by the time of creation.
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
