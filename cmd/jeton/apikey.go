package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/server"
)

// apikeyCommand holds the commands about API keys.
type apikeyCommand struct {
	Create createKeyCommand `cmd:"" help:"Make an API key, and print its secret key, which cannot be had again."`
	List   listKeysCommand  `cmd:"" help:"List the API keys, oldest first, without their secret keys."`
	Revoke revokeKeyCommand `cmd:"" help:"Revoke an API key. It opens nothing when the command has ended."`
	Rotate rotateKeyCommand `cmd:"" help:"Make an API key with the rights of another one, for as long as that was made for, and revoke the other one. A credentials file that holds the other one gets the new one."`
}

type createKeyCommand struct {
	Project      []string      `help:"Project that the key opens, by ID or name; several with commas. The first is its default project (default: the one of the first start)." placeholder:"PROJECT"`
	Organization bool          `help:"Open all projects, those to come included, and make, change and delete projects."`
	Permissions  []string      `help:"What the key may do: FunctionsFullAccess, FunctionsReadOnly, FunctionsPrivateAccess (to call private functions, and nothing else); several with commas." required:"" placeholder:"SET"`
	Description  string        `help:"What the key is for." placeholder:"TEXT"`
	ExpiresIn    time.Duration `help:"Have the key open nothing any more after this long, such as 720h." xor:"expiry" placeholder:"DURATION"`
	ExpiresAt    time.Time     `help:"Have the key open nothing any more from then on, such as 2027-01-31T12:00:00Z." xor:"expiry" placeholder:"TIME"`
	JSON         bool          `name:"json" help:"Print JSON, for programs."`
}

// Run prints the new key.
func (c *createKeyCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	request := admin.CreateKey{Organization: c.Organization, Description: c.Description, Permissions: c.Permissions, ExpiresAt: c.ExpiresAt.UTC()}
	if len(c.Project) > 0 {
		request.Project, request.Projects = c.Project[0], c.Project[1:]
	}
	if c.ExpiresIn != 0 {
		request.ExpiresAt = time.Now().Add(c.ExpiresIn).UTC()
	}
	key, err := ask(line.DataDir, "make the API key", func(client *admin.Client) (admin.APIKey, error) {
		return client.CreateKey(ctx, request)
	})
	if err != nil {
		return err
	}
	return printIssued(s, key, c.JSON)
}

// printIssued prints the only copy of a secret key, to who has asked for it.
func printIssued(s streams, k admin.APIKey, asJSON bool) error {
	if asJSON {
		return printJSON(s.out, k)
	}
	_, err := fmt.Fprintf(s.out, "access key    %s\nsecret key    %s\nproject       %s\norganization  %s\npermissions   %s\nexpires       %s\n",
		k.AccessKey, k.SecretKey, projectsOf(k), k.OrganizationID, strings.Join(k.Permissions, ", "), orWord(k.ExpiresAt, "never"))
	fmt.Fprintln(s.err, "jeton: the secret key cannot be shown again")
	return err
}

// projectsOf are the projects that a key opens, its default project first.
func projectsOf(k admin.APIKey) string {
	all := append([]string{k.ProjectID}, k.Projects...)
	if k.Organization {
		all = append(all, "all others")
	}
	return strings.Join(all, ", ")
}

type listKeysCommand struct {
	Project string `help:"Only those of this project, by its ID or its name." placeholder:"PROJECT"`
	listing
}

// Run prints a table.
func (c *listKeysCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	all, err := ask(line.DataDir, "list the API keys", func(client *admin.Client) ([]admin.APIKey, error) {
		return client.Keys(ctx, c.Project)
	})
	if err != nil {
		return err
	}
	const heading = "ACCESS KEY\tPROJECT\tPERMISSIONS\tCREATED\tEXPIRES\tLAST USED\tDESCRIPTION"
	return c.print(s.out, all, heading, rows(all, func(k admin.APIKey) []string {
		return []string{
			k.AccessKey, projectsOf(k), strings.Join(k.Permissions, ","), orWord(&k.CreatedAt, ""),
			orWord(k.ExpiresAt, "never"), orWord(k.LastUsedAt, "never"), k.Description,
		}
	}))
}

type revokeKeyCommand struct {
	AccessKey string `arg:"" help:"The access key (SCW...)."`
}

// Run says what has been revoked.
func (c *revokeKeyCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	key, err := ask(line.DataDir, "revoke "+c.AccessKey, func(client *admin.Client) (admin.APIKey, error) {
		return client.RevokeKey(ctx, c.AccessKey)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, key.AccessKey, "is revoked")
	return err
}

type rotateKeyCommand struct {
	AccessKey   string        `arg:"" help:"The access key (SCW...)."`
	Overlap     time.Duration `help:"Let the old key open what it does for this long still; without it, the old key is revoked at once." placeholder:"DURATION"`
	Credentials string        `help:"The credentials file that may hold the old key (default: the data folder's name and .credentials.yaml)." placeholder:"FILE"`
	JSON        bool          `name:"json" help:"Print JSON, for programs."`
}

// Run prints the new key, and puts it where the old one was.
func (c *rotateKeyCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	key, err := ask(line.DataDir, "rotate "+c.AccessKey, func(client *admin.Client) (admin.APIKey, error) {
		return client.RotateKey(ctx, c.AccessKey, c.Overlap)
	})
	if err != nil {
		return err
	}
	// What is printed is the only copy: whatever fails afterwards, it is there.
	if err := printIssued(s, key, c.JSON); err != nil {
		return err
	}
	path := c.Credentials
	if path == "" {
		path = server.CredentialsPath(line.DataDir)
	}
	config, err := scw.LoadConfigFromPath(path)
	if err != nil || text(config.AccessKey) != c.AccessKey {
		return nil //nolint:nilerr // A file that is not there, or is another's, does not hold the old key.
	}
	config.AccessKey, config.SecretKey = &key.AccessKey, &key.SecretKey
	if err := server.SaveCredentials(path, config); err != nil {
		return err
	}
	fmt.Fprintln(s.err, "jeton:", path, "holds the new key")
	return nil
}
