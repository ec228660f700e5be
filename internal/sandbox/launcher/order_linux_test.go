package launcher_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/jeton-dev/jeton/internal/sandbox/launcher"
)

var orders = map[string]launcher.Order{
	"empty": {Args: []string{}, Env: []string{}, Readable: []string{}, Writable: []string{}, Filter: []byte{}},
	"full": {
		Path: "/home/app/function", Args: []string{"function", "", "a b"}, Env: []string{"A=1", "B=ä\nc", "C="}, Dir: "/home/app",
		Assigned: true, Readable: []string{"/usr"}, Writable: []string{"/tmp", "/var/tmp"}, Filter: []byte{0, 1, 2, 255},
	},
}

func TestOrder_RoundTrips(t *testing.T) {
	t.Parallel()
	for name, order := range orders {
		got, err := launcher.DecodeOrder(order.Encode())
		if err != nil || !reflect.DeepEqual(got, order) {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, order)
		}
	}
}

// TestDecodeOrder_RefusesTruncatedOrExtendedMessages truncates an encoded order at each
// byte, and appends one.
func TestDecodeOrder_RefusesTruncatedOrExtendedMessages(t *testing.T) {
	t.Parallel()
	whole := orders["full"].Encode()
	for n := range whole {
		if _, err := launcher.DecodeOrder(whole[:n]); err == nil {
			t.Fatalf("DecodeOrder of %d of %d bytes = nil, want an error", n, len(whole))
		}
	}
	if _, err := launcher.DecodeOrder(append(bytes.Clone(whole), 0)); err == nil {
		t.Error("DecodeOrder with a byte appended = nil, want an error")
	}
}

// FuzzDecodeOrder checks that every decoded order encodes to an equal one.
func FuzzDecodeOrder(f *testing.F) {
	for _, order := range orders {
		f.Add(order.Encode())
	}
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, body []byte) {
		order, err := launcher.DecodeOrder(body)
		if err != nil {
			return
		}
		again, err := launcher.DecodeOrder(order.Encode())
		if err != nil || !reflect.DeepEqual(again, order) {
			t.Errorf("got %+v, %v after a round trip, want %+v", again, err, order)
		}
	})
}
