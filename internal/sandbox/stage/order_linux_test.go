package stage_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/jeton-dev/jeton/internal/sandbox/stage"
)

var orders = map[string]stage.Order{
	"nothing": {Args: []string{}, Env: []string{}, Readable: []string{}, Writable: []string{}, Filter: []byte{}},
	"everything": {
		Path: "/home/app/function", Args: []string{"function", "", "a b"}, Env: []string{"A=1", "B=ä\nc", "C="}, Dir: "/home/app",
		Assigned: true, Readable: []string{"/usr"}, Writable: []string{"/tmp", "/var/tmp"}, Filter: []byte{0, 1, 2, 255},
	},
}

func TestOrderComesThrough(t *testing.T) {
	t.Parallel()
	for name, order := range orders {
		got, err := stage.DecodeOrder(order.Encode())
		if err != nil || !reflect.DeepEqual(got, order) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, order)
		}
	}
}

// TestOrderCutShort leaves out the end of an order, and adds to it.
func TestOrderCutShort(t *testing.T) {
	t.Parallel()
	whole := orders["everything"].Encode()
	for n := range whole {
		if _, err := stage.DecodeOrder(whole[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for an order", n, len(whole))
		}
	}
	if _, err := stage.DecodeOrder(append(bytes.Clone(whole), 0)); err == nil {
		t.Error("an order with a byte too many is taken for one")
	}
}

// FuzzDecodeOrder asks that what is taken for an order is one.
func FuzzDecodeOrder(f *testing.F) {
	for _, order := range orders {
		f.Add(order.Encode())
	}
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, body []byte) {
		order, err := stage.DecodeOrder(body)
		if err != nil {
			return
		}
		again, err := stage.DecodeOrder(order.Encode())
		if err != nil || !reflect.DeepEqual(again, order) {
			t.Errorf("%+v comes through as %+v, %v", order, again, err)
		}
	})
}
