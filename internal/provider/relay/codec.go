package relay

import (
	"errors"

	"google.golang.org/protobuf/proto"
)

// codec passes frames through unchanged, and encodes the messages of go-plugin's own services.
type codec struct{}

// errNotAMessage is returned for values that are neither frames nor messages.
var errNotAMessage = errors.New("encode a message: neither a frame nor a protobuf message")

// Name implements encoding.Codec.
func (codec) Name() string { return "proto" }

// Marshal implements encoding.Codec.
func (codec) Marshal(v any) ([]byte, error) {
	switch v := v.(type) {
	case *frame:
		return v.bytes, nil
	case proto.Message:
		return proto.Marshal(v)
	}
	return nil, errNotAMessage
}

// Unmarshal implements encoding.Codec.
func (codec) Unmarshal(data []byte, v any) error {
	switch v := v.(type) {
	case *frame:
		v.bytes = append([]byte(nil), data...)
		return nil
	case proto.Message:
		return proto.Unmarshal(data, v)
	}
	return errNotAMessage
}
