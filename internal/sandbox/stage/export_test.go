//go:build linux

package stage

// DecodeOrder is decodeOrder, for tests.
var DecodeOrder = decodeOrder

// Unchanged is unchanged, for tests: the first and last address of each region.
func Unchanged(smaps []byte) (found [][2]uintptr) {
	for _, r := range unchanged(smaps) {
		found = append(found, [2]uintptr{r.from, r.to})
	}
	return found
}
