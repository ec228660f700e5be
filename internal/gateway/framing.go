package gateway

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// errAmbiguous is a request that two parsers could read as two different ones.
var errAmbiguous = errors.New("ambiguous request")

// maxLine bounds a line, in bytes. It is more than the longest head: net/http
// refuses that first, and says why.
const maxLine = 2 << 20

// framing follows where the requests of one HTTP/1 connection begin and end,
// and stops at the first that another parser on the way could have read in
// another way. net/http mends such requests (it prefers one of two lengths, it
// joins folded lines); a request that has been mended is the request that an
// attacker hid behind the one that a proxy let through.
type framing struct {
	next func(*framing, []byte) (rest []byte, err error)
	line []byte
	// matched is how much of the preface of HTTP/2 has come.
	matched int
	// What the head that is being read has said so far.
	first   bool
	lengths []string
	chunked bool
	hosts   int
	// head is the length of the head that is being read, in bytes, or of the last
	// one that was.
	head int64
	// left is how much of a body, or of a chunk, is still to come.
	left int64
}

func newFraming() *framing {
	return &framing{next: (*framing).inPreface}
}

// feed takes in what came over the connection.
func (f *framing) feed(data []byte) error {
	var err error
	for len(data) > 0 && err == nil {
		data, err = f.next(f, data)
	}
	return err
}

// preface begins every connection of HTTP/2. net/http takes it at the very
// beginning of a connection and nowhere else.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// inPreface tells HTTP/2 from HTTP/1, as net/http does.
func (f *framing) inPreface(data []byte) ([]byte, error) {
	taken := min(len(data), len(preface)-f.matched)
	if string(data[:taken]) != preface[f.matched:f.matched+taken] {
		begun := preface[:f.matched]
		f.beginHead()
		return data, f.feed([]byte(begun))
	}
	if f.matched += taken; f.matched == len(preface) {
		f.next = (*framing).pass
	}
	return data[taken:], nil
}

func (f *framing) beginHead() {
	*f = framing{next: (*framing).inHead, first: true, line: f.line[:0], head: f.head}
}

// takeLine collects a line and tells whether it is whole. The line is good until
// the next one is taken.
func (f *framing) takeLine(data []byte) (line, rest []byte, whole bool, err error) {
	end := bytes.IndexByte(data, '\n')
	if whole = end >= 0; !whole {
		end = len(data) - 1
	}
	line, rest = data[:end+1], data[end+1:]
	if len(f.line)+len(line) > maxLine {
		return nil, nil, false, errAmbiguous
	}
	if !whole || len(f.line) > 0 {
		// The line has come in pieces. Most have not, and are looked at where
		// they are.
		f.line = append(f.line, line...)
		line = f.line
	}
	if !whole {
		return nil, rest, false, nil
	}
	f.line = f.line[:0]
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), rest, true, nil
}

func (f *framing) inHead(data []byte) ([]byte, error) {
	if f.first && len(f.line) == 0 {
		f.head = 0
	}
	line, rest, whole, err := f.takeLine(data)
	f.head += int64(len(data) - len(rest))
	switch {
	case err != nil || !whole:
		return rest, err
	case f.first && len(line) == 0:
		return rest, nil // net/http passes over empty lines before a request
	case f.first && bytes.HasPrefix(line, []byte("PRI ")):
		return rest, errAmbiguous // where HTTP/2 begins for one, and not for another
	case f.first:
		f.first = false
		return rest, nil
	case len(line) == 0:
		return rest, f.endHead()
	}
	return rest, f.field(line)
}

// field takes in one line of a head.
func (f *framing) field(line []byte) error {
	if line[0] == ' ' || line[0] == '\t' {
		return errAmbiguous // a folded line
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	name = bytes.TrimSpace(name)
	// The lengths first: nearly every line ends here, and none makes a copy.
	switch {
	case len(name) == len(hostField) && bytes.EqualFold(name, hostField):
		f.hosts++
	case len(name) == len(lengthField) && bytes.EqualFold(name, lengthField):
		f.lengths = append(f.lengths, string(bytes.TrimSpace(value)))
	case len(name) == len(encodingField) && bytes.EqualFold(name, encodingField):
		f.chunked = true
	}
	return nil
}

// The fields that say where a request ends, and whose it is.
var (
	hostField     = []byte("host")
	lengthField   = []byte("content-length")
	encodingField = []byte("transfer-encoding")
)

func (f *framing) endHead() error {
	switch {
	case f.hosts > 1, len(f.lengths) > 1, f.chunked && len(f.lengths) > 0:
		return errAmbiguous
	case f.chunked:
		f.next = (*framing).inChunkSize
		return nil
	case len(f.lengths) == 1:
		length, err := strconv.ParseUint(f.lengths[0], 10, 63)
		if err != nil {
			return errAmbiguous
		}
		f.left = int64(length)
	}
	if f.left == 0 {
		f.beginHead()
	} else {
		f.next = (*framing).inBody
	}
	return nil
}

func (f *framing) inBody(data []byte) ([]byte, error) {
	taken := min(int64(len(data)), f.left)
	if f.left -= taken; f.left == 0 {
		f.beginHead()
	}
	return data[taken:], nil
}

func (f *framing) inChunkSize(data []byte) ([]byte, error) {
	line, rest, whole, err := f.takeLine(data)
	if err != nil || !whole {
		return rest, err
	}
	size, _, _ := strings.Cut(string(line), ";")
	length, err := strconv.ParseUint(strings.TrimRight(size, " \t"), 16, 62)
	if err != nil || size[0] == '+' {
		return rest, errAmbiguous
	}
	if f.next = (*framing).inChunk; length == 0 {
		f.next = (*framing).inTrailer
	}
	f.left = int64(length)
	return rest, nil
}

func (f *framing) inChunk(data []byte) ([]byte, error) {
	taken := min(int64(len(data)), f.left)
	if f.left -= taken; f.left == 0 {
		f.next = (*framing).inChunkEnd
	}
	return data[taken:], nil
}

func (f *framing) inChunkEnd(data []byte) ([]byte, error) {
	line, rest, whole, err := f.takeLine(data)
	if whole && len(line) > 0 {
		return rest, errAmbiguous
	}
	if whole {
		f.next = (*framing).inChunkSize
	}
	return rest, err
}

func (f *framing) inTrailer(data []byte) ([]byte, error) {
	line, rest, whole, err := f.takeLine(data)
	if whole && len(line) == 0 {
		f.beginHead()
	}
	return rest, err
}

// pass lets everything through: the connection speaks another protocol.
func (*framing) pass([]byte) ([]byte, error) { return nil, nil }
