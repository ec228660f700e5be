package guard

import "encoding/json"

// privateKey is the key of the mark in the private data of a resource.
const privateKey = "jeton_server"

// mark returns the ID of the server in private data, or "".
func mark(private []byte) string {
	var all map[string]json.RawMessage
	if json.Unmarshal(private, &all) != nil {
		return ""
	}
	var encoded []byte
	var id string
	if json.Unmarshal(all[privateKey], &encoded) != nil || json.Unmarshal(encoded, &id) != nil {
		return ""
	}
	return id
}

// marked returns private data with the ID of a server. The format is that of
// terraform-plugin-framework: values are JSON, encoded in base64. Private data of
// terraform-plugin-sdk/v2, which the framework ignores, is replaced.
func marked(private []byte, id string) ([]byte, error) {
	all := map[string][]byte{}
	if len(private) > 0 && json.Unmarshal(private, &all) != nil {
		all = map[string][]byte{}
	}
	value, err := json.Marshal(id)
	if err != nil {
		return nil, err
	}
	all[privateKey] = value
	return json.Marshal(all)
}
