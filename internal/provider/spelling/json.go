package spelling

import (
	"encoding/json"
	"reflect"
)

// JSON reports whether two JSON texts have the same value. White space and the order
// of keys do not matter. Numbers are compared as float64, like in the SDK. Texts that
// are not JSON are compared byte by byte.
func JSON(a, b string) bool {
	var first, second any
	if json.Unmarshal([]byte(a), &first) != nil || json.Unmarshal([]byte(b), &second) != nil {
		return a == b
	}
	return reflect.DeepEqual(first, second)
}
