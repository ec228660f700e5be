package relay_test

import (
	"bytes"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/jeton-dev/jeton/internal/provider/relay"
)

func bytesField(number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
}

// configureRequest is a request that configures a provider with a block.
func configureRequest(t *testing.T, block map[string]any) []byte {
	t.Helper()
	encoded, err := msgpack.Marshal(block)
	if err != nil {
		t.Fatal(err)
	}
	return append(bytesField(1, []byte("1.11.4")), bytesField(2, bytesField(1, encoded))...)
}

func TestRestConfiguration_PassesWhatBelongsToTheOtherProvider(t *testing.T) {
	t.Parallel()
	given := configureRequest(t, map[string]any{"access_key": "SCW1", "secret_key": "s", "region": "nl-ams", "zone": nil, "extra": "x"})
	for name, test := range map[string]struct {
		own  bool
		want map[string]any
	}{
		"a block of the server":  {true, map[string]any{"access_key": nil, "secret_key": nil, "region": "nl-ams", "newer": nil}},
		"a block of another one": {false, map[string]any{"access_key": "SCW1", "secret_key": "s", "region": "nl-ams", "newer": nil}},
	} {
		got, err := relay.RestConfiguration(given, []string{"access_key", "secret_key", "region", "newer"}, test.own)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		prefix := bytesField(1, []byte("1.11.4"))
		value, ok := bytes.CutPrefix(got, prefix)
		if !ok {
			t.Fatalf("%s: the version is missing", name)
		}
		_, _, tag := protowire.ConsumeTag(value)
		dynamic, _ := protowire.ConsumeBytes(value[tag:])
		_, _, tag = protowire.ConsumeTag(dynamic)
		encoded, _ := protowire.ConsumeBytes(dynamic[tag:])
		var block map[string]any
		if err := msgpack.Unmarshal(encoded, &block); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(block) != len(test.want) {
			t.Errorf("%s: got %v, want %v", name, block, test.want)
		}
		for key, want := range test.want {
			if block[key] != want {
				t.Errorf("%s: got %s = %v, want %v", name, key, block[key], want)
			}
		}
	}
}

// FuzzMessages checks that no message of a provider makes the relay panic.
func FuzzMessages(f *testing.F) {
	f.Add(bytesField(2, bytesField(1, []byte("scaleway_object_bucket"))))
	f.Add(bytesField(3, bytesField(1, []byte{0xc0})))
	f.Add(bytesField(1, []byte{8, 1}))
	f.Add(append(bytesField(2, bytesField(1, []byte{0x81, 0xa1, 'a', 0xc0})), 0x30, 1))
	f.Fuzz(func(_ *testing.T, message []byte) {
		_ = relay.Merge(message, message)
		_, _ = relay.RestConfiguration(message, []string{"a"}, true)
		_ = relay.PlannedDeletion(message)
		_, _, _ = relay.Diagnostics(message, 1)
	})
}
