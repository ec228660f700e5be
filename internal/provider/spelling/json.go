package spelling

import (
	"encoding/json"
	"reflect"
)

// JSON reports whether two JSON texts are equal, regardless of white space and the order of
// keys. Numbers are compared as float64, because the SDK decodes them so.
func JSON(a, b string) bool {
	var first, second any
	if json.Unmarshal([]byte(a), &first) != nil || json.Unmarshal([]byte(b), &second) != nil {
		return a == b
	}
	return reflect.DeepEqual(first, second)
}
