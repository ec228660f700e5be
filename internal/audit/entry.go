package audit

import "time"

// An Entry is one request. It contains no secrets.
type Entry struct {
	At time.Time `json:"at"`
	// Node is the name of the server; empty for the only one of its database.
	Node      string `json:"node,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	// AccessKey is the access key of the caller; empty without an API key, and for
	// the owner of the server.
	AccessKey string `json:"access_key"`
	// From is the client address, or Owner.
	From string `json:"from"`
	// Endpoint is the method and the pattern of the path.
	Endpoint string `json:"endpoint"`
	Region   string `json:"region,omitempty"`
	// Object is the ID of the affected object; empty if it is not known.
	Object string `json:"object,omitempty"`
	// Name is NAMESPACE/NAME of an affected function, or the name of an affected namespace.
	Name string `json:"name,omitempty"`
	// Status is the HTTP status of the response.
	Status int `json:"status"`
}

// Owner is the value of From for the admin socket, which only the owner of the server
// can open.
const Owner = "owner"
