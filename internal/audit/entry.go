package audit

import "time"

// An Entry is one request. Nothing secret is in it.
type Entry struct {
	At        time.Time `json:"at"`
	RequestID string    `json:"request_id,omitempty"`
	// AccessKey is whose API key it was; empty for a caller who has none, and
	// for the owner of the server.
	AccessKey string `json:"access_key"`
	// From is the address that the request came from, or Owner.
	From string `json:"from"`
	// Endpoint is the method and the pattern of the path.
	Endpoint string `json:"endpoint"`
	Region   string `json:"region,omitempty"`
	// Object is the ID of what the request was about, as far as it is known.
	Object string `json:"object,omitempty"`
	// Status is that of the answer.
	Status int `json:"status"`
}

// Owner stands for the admin socket, which only the owner of the server can
// open.
const Owner = "owner"
