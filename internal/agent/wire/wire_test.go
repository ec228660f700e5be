package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/agent/wire"
)

// pair returns two connected ends.
func pair(t *testing.T) (a, b *wire.Conn) {
	t.Helper()
	left, right := net.Pipe()
	t.Cleanup(func() { _, _ = left.Close(), right.Close() })
	return wire.NewConn(left), wire.NewConn(right)
}

func TestConn_SendsFrames(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	go func() {
		_ = a.SendJSON(wire.Order, wire.Task{Runtime: "node22", Env: []string{"A=1"}})
		_ = a.Send(wire.Ping, nil)
		_ = a.Close()
	}()
	kind, payload, err := b.Receive()
	if task, decodeErr := wire.DecodeTask(payload); err != nil || decodeErr != nil || kind != wire.Order || task.Runtime != "node22" || len(task.Env) != 1 {
		t.Errorf("Receive() = %q, %s, %v", kind, payload, err)
	}
	if kind, payload, err := b.Receive(); kind != wire.Ping || len(payload) != 0 || err != nil {
		t.Errorf("Receive() = %q, %s, %v, want a ping", kind, payload, err)
	}
	if _, _, err := b.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("Receive() at the end = %v, want %v", err, io.EOF)
	}
}

func TestConn_RefusesFramesAboveTheirLimit(t *testing.T) {
	t.Parallel()
	for name, frame := range map[string][]byte{
		"unknown kind":    {'?', 0, 0, 0, 0},
		"large output":    append([]byte{byte(wire.Stdout)}, 0, 2, 0, 0),
		"ping with bytes": {byte(wire.Ping), 0, 0, 0, 1, 'x'},
		"short digest":    {byte(wire.Digest), 0, 0, 0, 1, 'x'},
		"long usage":      {byte(wire.Usage), 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9},
		"huge order":      {byte(wire.Order), 255, 255, 255, 255},
	} {
		left, right := net.Pipe()
		go func() { _, _ = left.Write(frame) }()
		if kind, _, err := wire.NewConn(right).Receive(); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: Receive() = %q, %v, want an error", name, kind, err)
		}
		_, _ = left.Close(), right.Close()
	}
	a, _ := pair(t)
	if err := a.Send(wire.Part, make([]byte, wire.PartSize+1)); err == nil {
		t.Error("Send() of a large part = nil, want an error")
	}
}

func TestArchive_VerifiesItsDigest(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("content ", 50_000)
	for name, damaged := range map[string]bool{"whole": false, "damaged": true} {
		a, b := pair(t)
		go func() {
			if damaged {
				_ = a.Send(wire.Part, []byte("another content"))
				_ = a.Send(wire.Digest, make([]byte, wire.DigestSize))
				return
			}
			_ = a.SendArchive(func(w io.Writer) error {
				_, err := io.WriteString(w, content)
				return err
			})
		}()
		got, err := io.ReadAll(wire.NewArchive(b, nil))
		if (err != nil) != damaged || !damaged && string(got) != content {
			t.Errorf("%s: got %d bytes, %v", name, len(got), err)
		}
	}
}

func TestUsage_IsBounded(t *testing.T) {
	t.Parallel()
	const limit = 100
	for sent, want := range map[int64]int64{0: 0, 1: 1, limit: limit, limit + 1: limit, math.MaxInt64: limit, -1: -1, math.MinInt64: -1} {
		a, b := pair(t)
		go func() { _ = a.SendUsage(sent) }()
		kind, payload, err := b.Receive()
		if kind != wire.Usage || err != nil {
			t.Fatalf("Receive() = %q, %v", kind, err)
		}
		got, err := wire.DecodeUsage(payload, limit)
		if want < 0 && err == nil || want >= 0 && (err != nil || got != want) {
			t.Errorf("DecodeUsage() of %d = %d, %v, want %d", sent, got, err, want)
		}
	}
	if _, err := wire.DecodeUsage([]byte{1}, limit); err == nil {
		t.Error("DecodeUsage() of one byte = nil, want an error")
	}
}

// FuzzReceive receives what a hostile agent or launcher may send.
func FuzzReceive(f *testing.F) {
	frame := func(k wire.Kind, payload string) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{byte(k)}, uint32(len(payload))), payload...)
	}
	f.Add(frame(wire.Order, `{"runtime":"node22"}`))
	f.Add(frame(wire.Hello, `{"token":"x"}`))
	f.Add(append(frame(wire.Stdout, "text"), frame(wire.Exited, `{"status":"exit status 1"}`)...))
	f.Add(frame(wire.Usage, "\x00\x00\x00\x00\x00\x10\x00\x00"))
	f.Add([]byte{byte(wire.Order), 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		left, right := net.Pipe()
		defer right.Close()
		go func() {
			_, _ = io.Copy(left, bytes.NewReader(data))
			_ = left.Close()
		}()
		conn := wire.NewConn(right)
		for {
			kind, payload, err := conn.Receive()
			if err != nil {
				return
			}
			switch kind {
			case wire.Order:
				if task, err := wire.DecodeTask(payload); err == nil && task.Runtime == "" {
					t.Error("an order without a runtime is accepted")
				}
			case wire.Hello:
				_, _ = wire.DecodeGreeting(payload)
			case wire.Exited:
				_, _ = wire.DecodeExit(payload)
			case wire.Usage:
				if n, err := wire.DecodeUsage(payload, 1<<20); err == nil && (n < 0 || n > 1<<20) {
					t.Errorf("the usage %d is accepted", n)
				}
			}
		}
	})
}
