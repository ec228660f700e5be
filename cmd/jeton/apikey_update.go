package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/iam"
)

// updateKeyCommand changes an API key. Nil fields stay as they are.
type updateKeyCommand struct {
	AccessKey    string        `arg:"" help:"The access key (SCW...)."`
	Description  *string       `help:"New description of the key; empty removes it." placeholder:"TEXT"`
	Permissions  []string      `help:"Permission sets that replace the present ones, separated by commas." placeholder:"SET"`
	ExpiresIn    time.Duration `help:"New lifetime from now, such as 720h." xor:"expiry" placeholder:"DURATION"`
	ExpiresAt    time.Time     `help:"New expiry, such as 2027-01-31T12:00:00Z." xor:"expiry" placeholder:"TIME"`
	NeverExpires bool          `help:"Remove the expiry." xor:"expiry"`
	adminCommand
	outputFlags
}

// Help implements kong.HelpProvider.
func (*updateKeyCommand) Help() string {
	return "The secret key and the projects stay the same. Requests have the new permissions once the command has ended."
}

// AfterApply implements kong.AfterApply.
func (c *updateKeyCommand) AfterApply() error {
	if c.Description == nil && c.Permissions == nil && c.change(time.Now()).ExpiresAt == nil {
		return errors.New("nothing to change: add --description, --permissions, --expires-in, --expires-at or --never-expires")
	}
	return nil
}

func (c *updateKeyCommand) change(now time.Time) iam.KeyChange {
	change := iam.KeyChange{Description: c.Description, Permissions: c.Permissions}
	switch {
	case c.NeverExpires:
		change.ExpiresAt = new(time.Time)
	case !c.ExpiresAt.IsZero():
		change.ExpiresAt = new(c.ExpiresAt.UTC())
	case c.ExpiresIn != 0:
		change.ExpiresAt = new(now.Add(c.ExpiresIn).UTC())
	}
	return change
}

// Run prints the changed key without its secret key.
func (c *updateKeyCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	key, err := callServer(c.adminCommand, line.DataDir, "update API key "+c.AccessKey, func(client *admin.Client) (admin.APIKey, error) {
		return client.UpdateKey(ctx, c.AccessKey, c.change(time.Now()))
	})
	if err != nil {
		return err
	}
	if c.json() {
		return printJSON(s.out, key)
	}
	_, err = fmt.Fprintf(s.out, "access key    %s\ndescription   %s\nproject       %s\npermissions   %s\nexpires       %s\n",
		key.AccessKey, key.Description, projectsOf(key), strings.Join(key.Permissions, ", "), formatTime(key.ExpiresAt, "never"))
	return err
}
