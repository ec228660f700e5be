package launcher

import (
	"encoding/binary"
	"errors"
)

// An Order describes the program that the launcher executes. It is not JSON: a call may
// be waiting, and the launcher has unmapped the pages of the JSON decoder.
type Order struct {
	// Path is the absolute path of the program in the sandbox.
	Path string
	// Args includes the program's name, and Env is the whole environment.
	Args, Env []string
	// Dir is the working directory.
	Dir string
	// Assigned leaves the control socket open for the program.
	Assigned bool
	// Readable and Writable are the files and folders of this machine that the program
	// may use if there are no namespaces.
	Readable, Writable []string
	// Filter is a seccomp filter in the kernel's format: the second of two with
	// namespaces, otherwise the only one.
	Filter []byte
}

var errOrder = errors.New("decode order: malformed message")

// Encode returns the order as lists of strings, each list and string with its length
// in front.
func (o Order) Encode() []byte {
	assigned := ""
	if o.Assigned {
		assigned = "assigned"
	}
	scalars := []string{o.Path, o.Dir, assigned, string(o.Filter)}
	var body []byte
	for _, list := range [][]string{scalars, o.Args, o.Env, o.Readable, o.Writable} {
		body = binary.LittleEndian.AppendUint32(body, uint32(len(list)))
		for _, text := range list {
			body = binary.LittleEndian.AppendUint32(body, uint32(len(text)))
			body = append(body, text...)
		}
	}
	return body
}

// decodeOrder is the inverse of Encode.
func decodeOrder(body []byte) (o Order, err error) {
	var lists [5][]string
	for i := range lists {
		if lists[i], body, err = decodeList(body); err != nil {
			return o, err
		}
	}
	scalars := lists[0]
	if len(scalars) != 4 || len(body) > 0 {
		return o, errOrder
	}
	o.Path, o.Dir, o.Assigned, o.Filter = scalars[0], scalars[1], scalars[2] != "", []byte(scalars[3])
	o.Args, o.Env, o.Readable, o.Writable = lists[1], lists[2], lists[3], lists[4]
	return o, nil
}

func decodeList(body []byte) (list []string, rest []byte, err error) {
	n, body, err := decodeLength(body)
	// Each string has a length of 4 bytes, which bounds n.
	if err != nil || n > len(body)/4 {
		return nil, nil, errOrder
	}
	list = make([]string, n)
	for i := range list {
		size, tail, err := decodeLength(body)
		if err != nil || size > len(tail) {
			return nil, nil, errOrder
		}
		list[i], body = string(tail[:size]), tail[size:]
	}
	return list, body, nil
}

func decodeLength(body []byte) (n int, rest []byte, err error) {
	if len(body) < 4 {
		return 0, nil, errOrder
	}
	return int(binary.LittleEndian.Uint32(body)), body[4:], nil
}
