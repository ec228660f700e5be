package stage

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// shrink unmaps the pages of this program's file, which come back one by one when
// they are used: the kernel would take half a millisecond to unmap them when the
// stage becomes a program, and a call may wait for that by then.
func shrink() error {
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("find what is mapped: %w", err)
	}
	for _, r := range unchanged(smaps) {
		_, _, errno := unix.Syscall(unix.SYS_MADVISE, r.from, r.to-r.from, unix.MADV_DONTNEED)
		if errno != 0 {
			return fmt.Errorf("unmap pages: %w", errno)
		}
	}
	return nil
}

// A region is a part of the memory, from one address to before another.
type region struct{ from, to uintptr }

// unchanged reads /proc/self/smaps, and returns what is in memory as it is in
// files: what cannot be written to, and was not before it was protected, as
// tables are that the loader fills in. It leaves next to nothing on the heap.
func unchanged(smaps []byte) []region {
	found := make([]region, 0, 16)
	var current region
	for line := range bytes.Lines(smaps) {
		if r, ok := fileOnly(line); ok {
			current = r
			continue
		}
		if bytes.HasPrefix(line, []byte("Anonymous:")) && bytes.HasSuffix(line, []byte(" 0 kB\n")) && current.to > current.from {
			found = append(found, current)
		}
	}
	return found
}

// fileOnly parses the line with which a region begins: it is empty unless it is of
// a file and cannot be written to. The line is another one if ok is false.
func fileOnly(line []byte) (r region, ok bool) {
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
