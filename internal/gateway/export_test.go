package gateway

// Unambiguous tells whether a connection over which the pieces come is let
// through.
func Unambiguous(pieces []string) bool {
	f := newFraming()
	for _, piece := range pieces {
		if f.feed([]byte(piece)) != nil {
			return false
		}
	}
	return true
}
