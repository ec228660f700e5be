package relay

import (
	"fmt"
	"slices"

	"github.com/vmihailenco/msgpack/v5"
	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of a request that configures a provider, and of a value.
const (
	configureValue protowire.Number = 2
	valueMsgpack   protowire.Number = 1
)

// shared are the settings of a provider block that both providers use. The others select the
// account: in a block that Jeton's provider accepts, that is one of the Jeton server.
var shared = []string{"region", "zone"}

// restConfiguration returns the request that configures the other provider. own reports
// whether the block is one of the Jeton server: then the other provider receives no key, URL
// or project of it, and uses its own environment. Settings that the other provider does not
// have are left out.
func restConfiguration(request []byte, settings []string, own bool) ([]byte, error) {
	value, err := content(request, configureValue)
	if err != nil {
		return nil, err
	}
	encoded, err := content(value, valueMsgpack)
	if err != nil {
		return nil, err
	}
	var block map[string]msgpack.RawMessage
	if err := msgpack.Unmarshal(encoded, &block); err != nil {
		return nil, fmt.Errorf("decode the provider block: %w", err)
	}
	null, err := msgpack.Marshal(nil)
	if err != nil {
		return nil, err
	}
	passed := make(map[string]msgpack.RawMessage, len(settings))
	for _, name := range settings {
		passed[name] = null
		if given, ok := block[name]; ok && (!own || slices.Contains(shared, name)) {
			passed[name] = given
		}
	}
	if encoded, err = msgpack.Marshal(passed); err != nil {
		return nil, err
	}
	all, err := fields(request)
	if err != nil {
		return nil, err
	}
	var changed []byte
	for _, f := range all {
		if f.number == configureValue {
			changed = with(changed, configureValue, with(nil, valueMsgpack, encoded))
			continue
		}
		changed = append(changed, f.raw...)
	}
	return changed, nil
}
