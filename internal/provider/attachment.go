package provider

import (
	"encoding/json"
	"fmt"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
)

// AttachmentVariable is the environment variable in which `jeton tf` passes an Attachment, as
// JSON.
const AttachmentVariable = "JETON_TF_ATTACHMENT"

// An Attachment selects the server of `jeton tf`. Provider blocks may select a key and a
// project of this server, and no other server.
type Attachment struct {
	// ServerID identifies the server in states.
	ServerID string `json:"server_id"`
	// URL is the address of the API.
	URL string `json:"url"`
	// AccessKey, SecretKey, ProjectID and OrganizationID are the defaults of provider blocks.
	AccessKey      string `json:"access_key"`
	SecretKey      string `json:"secret_key"`
	ProjectID      string `json:"project_id"`
	OrganizationID string `json:"organization_id"`
	// Adopt allows states that were written against another server.
	Adopt bool `json:"adopt"`
	// Official is the path of the official provider; empty if it is not installed.
	Official string `json:"official"`
}

// AttachmentFrom returns the attachment in the environment, or nil if there is none.
func AttachmentFrom(getenv func(string) string) (*Attachment, error) {
	text := getenv(AttachmentVariable)
	if text == "" {
		return nil, nil
	}
	var a Attachment
	if err := json.Unmarshal([]byte(text), &a); err != nil || a.URL == "" || a.ServerID == "" {
		// The text contains a secret key.
		return nil, fmt.Errorf("read %s: not an attachment: it is set by jeton tf only", AttachmentVariable)
	}
	return &a, nil
}

// load returns the profile of a provider block.
func (o Options) load(block client.Settings) (*client.Profile, error) {
	if o.Attachment == nil {
		return client.LoadProfile(block)
	}
	return client.LoadAttached(block, &scw.Profile{
		APIURL: &o.Attachment.URL, AccessKey: &o.Attachment.AccessKey, SecretKey: &o.Attachment.SecretKey,
		DefaultProjectID: &o.Attachment.ProjectID, DefaultOrganizationID: &o.Attachment.OrganizationID,
	})
}
