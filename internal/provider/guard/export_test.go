package guard

// Functions of the mark, for tests.
var (
	Mark   = mark
	Marked = marked
)
