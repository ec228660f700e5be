package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/server"
)

// apikeyCommand groups the commands for API keys.
type apikeyCommand struct {
	Create createKeyCommand `cmd:"" help:"Create an API key and print its secret key, which is shown only once."`
	List   listKeysCommand  `cmd:"" help:"List the API keys, oldest first, without their secret keys."`
	Update updateKeyCommand `cmd:"" help:"Change the description, the permissions or the expiry of an API key."`
	Revoke revokeKeyCommand `cmd:"" help:"Revoke an API key; it is refused once the command has ended."`
	Rotate rotateKeyCommand `cmd:"" help:"Replace an API key by a new one with the same permissions and lifetime."`
}

type createKeyCommand struct {
	Project      []string      `help:"Projects of the key (ID or name), separated by commas; its default is the first." placeholder:"PROJECT"`
	Organization bool          `help:"Grant access to all projects, also future ones, and to managing projects."`
	Permissions  []string      `help:"Permission sets of the key, separated by commas (see above)." required:"" placeholder:"SET"`
	Description  string        `help:"Description of the key." placeholder:"TEXT"`
	ExpiresIn    time.Duration `help:"Lifetime of the key, such as 720h (default: unlimited)." xor:"expiry" placeholder:"DURATION"`
	ExpiresAt    time.Time     `help:"Expiry of the key, such as 2027-01-31T12:00:00Z (default: never)." xor:"expiry" placeholder:"TIME"`
	Save         string        `help:"New credentials file for the key, for jeton, scw and the SDKs." placeholder:"FILE"`
	Group        string        `help:"Group of users that may read the file of --save." placeholder:"GROUP"`
	adminCommand
	outputFlags
}

// Help implements kong.HelpProvider.
func (*createKeyCommand) Help() string {
	return `The permission sets are:

  FunctionsFullAccess     all requests of the API, and calls of private functions
  FunctionsReadOnly       read requests of the API
  FunctionsPrivateAccess  calls of private functions only

Without --project the key belongs to the project that the first start of the server created.`
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
	key, err := callServer(c.adminCommand, line.DataDir, "create API key", func(client *admin.Client) (admin.APIKey, error) {
		return client.CreateKey(ctx, request)
	})
	if err != nil {
		return err
	}
	if c.Save != "" {
		if err := c.save(line, key); err != nil {
			return fmt.Errorf("%w: the key %s was created: revoke it with 'jeton apikey revoke %s'", err, key.AccessKey, key.AccessKey)
		}
		fmt.Fprintln(s.err, "jeton: saved the key to", c.Save)
	}
	return printIssued(s, key, c.json())
}

// AfterApply implements kong.AfterApply.
func (c *createKeyCommand) AfterApply() error {
	if c.Group != "" && c.Save == "" {
		return errors.New("--group is the group of a file: add --save")
	}
	if _, err := os.Lstat(c.Save); c.Save != "" && err == nil {
		return fmt.Errorf("%s exists: name another file, or remove it", c.Save)
	}
	if c.Group != "" {
		if _, err := user.LookupGroup(c.Group); err != nil {
			return fmt.Errorf("find group: %w", err)
		}
	}
	return nil
}

// save writes the credentials of the key, readable by the user and the group.
func (c *createKeyCommand) save(line *commandLine, key admin.APIKey) error {
	address := localAPI(line.DataDir)
	if !c.isLocal(line.DataDir) {
		profile, err := c.profile(line.DataDir)
		if err != nil {
			return err
		}
		address = text(profile.APIURL)
	}
	region := string(scw.RegionFrPar)
	err := server.SaveCredentials(c.Save, &scw.Config{Profile: scw.Profile{
		AccessKey: &key.AccessKey, SecretKey: &key.SecretKey, APIURL: &address, DefaultRegion: &region,
		DefaultOrganizationID: &key.OrganizationID, DefaultProjectID: &key.ProjectID,
	}})
	if err != nil || c.Group == "" {
		return err
	}
	group, err := user.LookupGroup(c.Group)
	if err != nil {
		return fmt.Errorf("find group: %w", err)
	}
	id, err := strconv.Atoi(group.Gid)
	if err == nil {
		err = os.Chown(c.Save, -1, id)
	}
	if err == nil {
		err = os.Chmod(c.Save, 0o640)
	}
	if err != nil {
		return fmt.Errorf("share %s with group %s: %w", c.Save, c.Group, err)
	}
	return nil
}

// localAPI returns the URL of the API of the running server.
func localAPI(dataDir string) string {
	endpoints, _ := server.Reach(dataDir)
	return endpoints.API
}

// printIssued prints a new key with its secret key, which the server does not store.
func printIssued(s streams, k admin.APIKey, asJSON bool) error {
	if asJSON {
		return printJSON(s.out, k)
	}
	_, err := fmt.Fprintf(s.out, "access key    %s\nsecret key    %s\nproject       %s\norganization  %s\npermissions   %s\nexpires       %s\n",
		k.AccessKey, k.SecretKey, projectsOf(k), k.OrganizationID, strings.Join(k.Permissions, ", "), formatTime(k.ExpiresAt, "never"))
	fmt.Fprintln(s.err, "jeton: store the secret key now: it is not shown again")
	return err
}

// projectsOf returns the projects of a key, its default project first.
func projectsOf(k admin.APIKey) string {
	all := append([]string{k.ProjectID}, k.Projects...)
	if k.Organization {
		all = append(all, "all others")
	}
	return strings.Join(all, ", ")
}

type listKeysCommand struct {
	Project string `help:"Project of the keys (ID or name; default: all projects)." placeholder:"PROJECT"`
	adminCommand
	outputFlags
}

// Run prints a table.
func (c *listKeysCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	all, err := callServer(c.adminCommand, line.DataDir, "list API keys", func(client *admin.Client) ([]admin.APIKey, error) {
		return client.Keys(ctx, c.Project)
	})
	if err != nil {
		return err
	}
	const heading = "ACCESS KEY\tPROJECT\tPERMISSIONS\tCREATED\tEXPIRES\tLAST USED\tDESCRIPTION"
	return c.print(s.out, all, heading, rows(all, func(k admin.APIKey) []string {
		return []string{
			k.AccessKey, projectsOf(k), strings.Join(k.Permissions, ","), formatTime(&k.CreatedAt, ""),
			formatTime(k.ExpiresAt, "never"), formatTime(k.LastUsedAt, "never"), k.Description,
		}
	}))
}

type revokeKeyCommand struct {
	AccessKey string `arg:"" help:"The access key (SCW...)."`
	adminCommand
}

// Run prints the revoked key.
func (c *revokeKeyCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	key, err := callServer(c.adminCommand, line.DataDir, "revoke API key "+c.AccessKey, func(client *admin.Client) (admin.APIKey, error) {
		return client.RevokeKey(ctx, c.AccessKey)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, key.AccessKey, "is revoked")
	return err
}

type rotateKeyCommand struct {
	AccessKey string        `arg:"" help:"The access key (SCW...)."`
	Overlap   time.Duration `help:"How long the old key remains valid (default: not at all)." placeholder:"DURATION"`
	adminCommand
	outputFlags
}

// Help implements kong.HelpProvider.
func (*rotateKeyCommand) Help() string {
	return "If the credentials file contains the old key, the command replaces it by the new one."
}

// Run prints the new key, and replaces the old key in the credentials file.
func (c *rotateKeyCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	key, err := callServer(c.adminCommand, line.DataDir, "rotate API key "+c.AccessKey, func(client *admin.Client) (admin.APIKey, error) {
		return client.RotateKey(ctx, c.AccessKey, c.Overlap)
	})
	if err != nil {
		return err
	}
	// This is the only copy: print it before anything else can fail.
	if err := printIssued(s, key, c.json()); err != nil {
		return err
	}
	path := c.Credentials
	if path == "" {
		path = server.CredentialsPath(line.DataDir)
	}
	config, err := scw.LoadConfigFromPath(path)
	if err != nil || text(config.AccessKey) != c.AccessKey {
		return nil //nolint:nilerr // There is no file, or the file has another key.
	}
	config.AccessKey, config.SecretKey = &key.AccessKey, &key.SecretKey
	if err := server.SaveCredentials(path, config); err != nil {
		return err
	}
	fmt.Fprintln(s.err, "jeton: wrote the new key to", path)
	return nil
}
