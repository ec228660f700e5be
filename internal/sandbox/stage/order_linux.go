package stage

import (
	"encoding/binary"
	"errors"
)

// An Order is what program the stage becomes. A call may wait for it: it is read
// without the code for JSON, of which the stage has nothing in memory by then.
type Order struct {
	// Path is absolute, and seen from inside.
	Path string
	// Args includes the program's name, and Env is the whole environment.
	Args, Env []string
	// Dir is where the process starts.
	Dir string
	// Assigned leaves the control socket to the program.
	Assigned bool
	// Readable and Writable are what the program may use of this machine, where
	// there are no namespaces.
	Readable, Writable []string
	// Filter is the list of system calls, for the kernel; the second of two where
	// there are namespaces.
	Filter []byte
}

var errOrder = errors.New("the order is not one of the server's")

// Encode returns lists of strings, each behind its length.
func (o Order) Encode() []byte {
	assigned := ""
	if o.Assigned {
		assigned = "assigned"
	}
	one := []string{o.Path, o.Dir, assigned, string(o.Filter)}
	var body []byte
	for _, list := range [][]string{one, o.Args, o.Env, o.Readable, o.Writable} {
		body = binary.LittleEndian.AppendUint32(body, uint32(len(list)))
		for _, text := range list {
			body = binary.LittleEndian.AppendUint32(body, uint32(len(text)))
			body = append(body, text...)
		}
	}
	return body
}

// decodeOrder reads what Encode returns.
func decodeOrder(body []byte) (o Order, err error) {
	var lists [5][]string
	for i := range lists {
		if lists[i], body, err = decodeList(body); err != nil {
			return o, err
		}
	}
	one := lists[0]
	if len(one) != 4 || len(body) > 0 {
		return o, errOrder
	}
	o.Path, o.Dir, o.Assigned, o.Filter = one[0], one[1], one[2] != "", []byte(one[3])
	o.Args, o.Env, o.Readable, o.Writable = lists[1], lists[2], lists[3], lists[4]
	return o, nil
}

func decodeList(body []byte) (list []string, rest []byte, err error) {
	n, body, err := decodeLength(body)
	// Each has a length of its own.
	if err != nil || n > len(body)/4 {
		return nil, nil, errOrder
	}
	list = make([]string, n)
	for i := range list {
		size, behind, err := decodeLength(body)
		if err != nil || size > len(behind) {
			return nil, nil, errOrder
		}
		list[i], body = string(behind[:size]), behind[size:]
	}
	return list, body, nil
}

func decodeLength(body []byte) (n int, rest []byte, err error) {
	if len(body) < 4 {
		return 0, nil, errOrder
	}
	return int(binary.LittleEndian.Uint32(body)), body[4:], nil
}
