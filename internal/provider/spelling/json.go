package spelling

import (
	"encoding/json"
	"reflect"
)

// JSON compares JSON texts by what they say: blanks and the order of keys are
// spelling, and so are the digits of a number behind those that a float64 keeps,
// which the SDK does not read.
func JSON(a, b string) bool {
	var first, second any
	if json.Unmarshal([]byte(a), &first) != nil || json.Unmarshal([]byte(b), &second) != nil {
		return a == b
	}
	return reflect.DeepEqual(first, second)
}
