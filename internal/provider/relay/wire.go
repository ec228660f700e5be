package relay

import "google.golang.org/protobuf/encoding/protowire"

// frame is a message of the plugin protocol, encoded.
type frame struct{ bytes []byte }

// field is one field of a message.
type field struct {
	number protowire.Number
	kind   protowire.Type
	// value is the content of a field of type bytes.
	value []byte
	// raw is the whole field with its tag.
	raw []byte
}

// fields splits a message into its fields.
func fields(message []byte) ([]field, error) {
	var all []field
	for len(message) > 0 {
		number, kind, tag := protowire.ConsumeTag(message)
		if tag < 0 {
			return nil, protowire.ParseError(tag)
		}
		size := protowire.ConsumeFieldValue(number, kind, message[tag:])
		if size < 0 {
			return nil, protowire.ParseError(size)
		}
		f := field{number: number, kind: kind, raw: message[:tag+size]}
		if kind == protowire.BytesType {
			f.value, _ = protowire.ConsumeBytes(message[tag:])
		}
		all = append(all, f)
		message = message[tag+size:]
	}
	return all, nil
}

// content returns the last field of type bytes with a number; nil means that there is none.
func content(message []byte, number protowire.Number) ([]byte, error) {
	all, err := fields(message)
	if err != nil {
		return nil, err
	}
	var found []byte
	for _, f := range all {
		if f.number == number && f.kind == protowire.BytesType {
			found = f.value
		}
	}
	return found, nil
}

// enabled reports whether a boolean field is set.
func enabled(message []byte, number protowire.Number) bool {
	all, err := fields(message)
	if err != nil {
		return false
	}
	set := false
	for _, f := range all {
		if f.number == number && f.kind == protowire.VarintType {
			set = f.raw[len(f.raw)-1] != 0
		}
	}
	return set
}

// with appends a field of type bytes to a message.
func with(message []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(message, number, protowire.BytesType), value)
}

// renumber returns diagnostics of one response as fields of another one.
func renumber(diagnostics [][]byte, number protowire.Number) []byte {
	var message []byte
	for _, d := range diagnostics {
		message = with(message, number, d)
	}
	return message
}

// The fields of a diagnostic.
const (
	diagnosticSeverity = 1
	severityError      = 1
)

// diagnostics returns the diagnostics of a response and whether one of them is an error.
func diagnostics(response []byte, number protowire.Number) (found [][]byte, failed bool, err error) {
	all, err := fields(response)
	if err != nil {
		return nil, false, err
	}
	for _, f := range all {
		if f.number != number || f.kind != protowire.BytesType {
			continue
		}
		found = append(found, f.value)
		parts, err := fields(f.value)
		if err != nil {
			return nil, false, err
		}
		for _, part := range parts {
			if part.number == diagnosticSeverity && part.kind == protowire.VarintType {
				severity, _ := protowire.ConsumeVarint(part.raw[1:])
				failed = failed || severity == severityError
			}
		}
	}
	return found, failed, nil
}
