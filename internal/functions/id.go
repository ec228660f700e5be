package functions

import "regexp"

// uuid accepts UUIDs of every version in requests. New IDs have version 4.
var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// ValidID reports whether id has the form of an object's ID: a UUID in lower case.
func ValidID(id string) bool { return len(id) == 36 && uuid.MatchString(id) }
