package functions

// Checked has the tests see what a page comes to be, or why it is refused.
func (p Page) Checked(fields ...string) (Page, error) { return p.checked(fields...) }
