package launcher

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// unmapFilePages unmaps the pages of this program's file. The kernel maps single pages
// again when they are used. At the exec it would take half a millisecond to unmap all,
// while a call may be waiting.
func unmapFilePages() error {
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("list mapped pages: %w", err)
	}
	for _, r := range filePages(smaps) {
		_, _, errno := unix.Syscall(unix.SYS_MADVISE, r.from, r.to-r.from, unix.MADV_DONTNEED)
		if errno != 0 {
			return fmt.Errorf("unmap pages: %w", errno)
		}
	}
	return nil
}

// A region is a range of addresses; to is exclusive.
type region struct{ from, to uintptr }

// filePages reads /proc/self/smaps and returns the regions whose memory equals a file:
// read-only ones without anonymous pages. Tables that the loader fills in have such
// pages, although they are read-only later. It allocates next to nothing.
func filePages(smaps []byte) []region {
	found := make([]region, 0, 16)
	var current region
	for line := range bytes.Lines(smaps) {
		if r, ok := parseRegion(line); ok {
			current = r
			continue
		}
		if bytes.HasPrefix(line, []byte("Anonymous:")) && bytes.HasSuffix(line, []byte(" 0 kB\n")) && current.to > current.from {
			found = append(found, current)
		}
	}
	return found
}

// parseRegion parses the first line of a region. The result is empty unless the region
// is read-only, private and of a file. ok is false for all other lines.
func parseRegion(line []byte) (r region, ok bool) {
	var fields [5][]byte
	n := 0
	for field := range bytes.FieldsSeq(line) {
		if n == len(fields) {
			break
		}
		fields[n] = field
		n++
	}
	from, to, ok := bytes.Cut(fields[0], []byte("-"))
	if !ok || n < len(fields) || len(fields[1]) != 4 {
		return r, false
	}
	begin, err := strconv.ParseUint(string(from), 16, 64)
	if err != nil {
		return r, false
	}
	end, err := strconv.ParseUint(string(to), 16, 64)
	if err != nil {
		return r, false
	}
	if fields[1][1] == '-' && fields[1][3] == 'p' && string(fields[4]) != "0" {
		r = region{uintptr(begin), uintptr(end)}
	}
	return r, true
}
