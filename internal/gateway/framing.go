package gateway

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// errAmbiguous means that two parsers could read different requests from the same bytes.
var errAmbiguous = errors.New("ambiguous request")

// maxLine is the maximum length of a line in bytes. It is longer than the maximum header of
// net/http, so that net/http answers long headers itself.
const maxLine = 2 << 20

// framing parses where the requests on an HTTP/1 connection begin and end. It stops at the first
// request that a proxy in front of the gateway could parse differently (request smuggling).
// net/http repairs such requests: it prefers one of two lengths and joins folded lines. The
// repaired request could be one that the proxy has not seen.
type framing struct {
	// next parses the next part of the connection and returns the rest of the data.
	next func(*framing, []byte) (rest []byte, err error)
	// line is the beginning of a line that is not complete.
	line []byte
	// matched is the length of the part of the HTTP/2 preface that has arrived.
	matched int
	// first means that the request line has not been read.
	first bool
	// lengths, chunked and hosts describe the fields of the current header.
	lengths []string
	chunked bool
	hosts   int
	// headerSize is the size of the current or the previous header in bytes.
	headerSize int64
	// remaining is the size of the rest of the body or chunk.
	remaining int64
}

func newFraming() *framing {
	return &framing{next: (*framing).parsePreface}
}

// parse parses the next data of the connection.
func (f *framing) parse(data []byte) error {
	var err error
	for len(data) > 0 && err == nil {
		data, err = f.next(f, data)
	}
	return err
}

// preface is the beginning of every HTTP/2 connection. net/http accepts it only at the beginning
// of a connection.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// parsePreface distinguishes HTTP/2 from HTTP/1, as net/http does.
func (f *framing) parsePreface(data []byte) ([]byte, error) {
	n := min(len(data), len(preface)-f.matched)
	if string(data[:n]) != preface[f.matched:f.matched+n] {
		matched := preface[:f.matched]
		f.beginHeader()
		return data, f.parse([]byte(matched))
	}
	if f.matched += n; f.matched == len(preface) {
		f.next = (*framing).ignore
	}
	return data[n:], nil
}

func (f *framing) beginHeader() {
	*f = framing{next: (*framing).parseHeader, first: true, line: f.line[:0], headerSize: f.headerSize}
}

// readLine reads a line without its line break, and reports whether it is complete. The line is
// valid until the next call.
func (f *framing) readLine(data []byte) (line, rest []byte, complete bool, err error) {
	end := bytes.IndexByte(data, '\n')
	if complete = end >= 0; !complete {
		end = len(data) - 1
	}
	line, rest = data[:end+1], data[end+1:]
	if len(f.line)+len(line) > maxLine {
		return nil, nil, false, errAmbiguous
	}
	if !complete || len(f.line) > 0 {
		// The line arrives in pieces. Other lines are not copied.
		f.line = append(f.line, line...)
		line = f.line
	}
	if !complete {
		return nil, rest, false, nil
	}
	f.line = f.line[:0]
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), rest, true, nil
}

func (f *framing) parseHeader(data []byte) ([]byte, error) {
	if f.first && len(f.line) == 0 {
		f.headerSize = 0
	}
	line, rest, complete, err := f.readLine(data)
	f.headerSize += int64(len(data) - len(rest))
	switch {
	case err != nil || !complete:
		return rest, err
	case f.first && len(line) == 0:
		return rest, nil // net/http ignores empty lines before a request.
	case f.first && bytes.HasPrefix(line, []byte("PRI ")):
		return rest, errAmbiguous // Some parsers start HTTP/2 here.
	case f.first:
		f.first = false
		return rest, nil
	case len(line) == 0:
		return rest, f.endHeader()
	}
	return rest, f.parseField(line)
}

func (f *framing) parseField(line []byte) error {
	if line[0] == ' ' || line[0] == '\t' {
		return errAmbiguous // A folded line.
	}
	name, value := line, []byte(nil)
	if colon := bytes.IndexByte(line, ':'); colon >= 0 {
		name, value = line[:colon], line[colon+1:]
	}
	name = bytes.TrimSpace(name)
	// Compare the lengths first: nearly all fields have another length, and a comparison
	// allocates no memory.
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

// The header fields that determine the host and the end of a request.
var (
	hostField     = []byte("host")
	lengthField   = []byte("content-length")
	encodingField = []byte("transfer-encoding")
)

func (f *framing) endHeader() error {
	switch {
	case f.hosts > 1, len(f.lengths) > 1, f.chunked && len(f.lengths) > 0:
		return errAmbiguous
	case f.chunked:
		f.next = (*framing).parseChunkSize
		return nil
	case len(f.lengths) == 1:
		length, err := strconv.ParseUint(f.lengths[0], 10, 63)
		if err != nil {
			return errAmbiguous
		}
		f.remaining = int64(length)
	}
	if f.remaining == 0 {
		f.beginHeader()
	} else {
		f.next = (*framing).skipBody
	}
	return nil
}

func (f *framing) skipBody(data []byte) ([]byte, error) {
	n := min(int64(len(data)), f.remaining)
	if f.remaining -= n; f.remaining == 0 {
		f.beginHeader()
	}
	return data[n:], nil
}

func (f *framing) parseChunkSize(data []byte) ([]byte, error) {
	line, rest, complete, err := f.readLine(data)
	if err != nil || !complete {
		return rest, err
	}
	size, _, _ := strings.Cut(string(line), ";")
	length, err := strconv.ParseUint(strings.TrimRight(size, " \t"), 16, 62)
	if err != nil || size[0] == '+' {
		return rest, errAmbiguous
	}
	if f.next = (*framing).skipChunk; length == 0 {
		f.next = (*framing).skipTrailer
	}
	f.remaining = int64(length)
	return rest, nil
}

func (f *framing) skipChunk(data []byte) ([]byte, error) {
	n := min(int64(len(data)), f.remaining)
	if f.remaining -= n; f.remaining == 0 {
		f.next = (*framing).parseChunkEnd
	}
	return data[n:], nil
}

func (f *framing) parseChunkEnd(data []byte) ([]byte, error) {
	line, rest, complete, err := f.readLine(data)
	if complete && len(line) > 0 {
		return rest, errAmbiguous
	}
	if complete {
		f.next = (*framing).parseChunkSize
	}
	return rest, err
}

func (f *framing) skipTrailer(data []byte) ([]byte, error) {
	line, rest, complete, err := f.readLine(data)
	if complete && len(line) == 0 {
		f.beginHeader()
	}
	return rest, err
}

// ignore accepts all data: the connection uses HTTP/2.
func (*framing) ignore([]byte) ([]byte, error) { return nil, nil }
