//go:build linux

package launcher

// DecodeOrder exports decodeOrder to tests.
var DecodeOrder = decodeOrder

// FilePages returns the regions of filePages as pairs of addresses.
func FilePages(smaps []byte) (found [][2]uintptr) {
	for _, r := range filePages(smaps) {
		found = append(found, [2]uintptr{r.from, r.to})
	}
	return found
}
