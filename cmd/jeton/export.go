package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/leave"
	"github.com/jeton-dev/jeton/internal/server"
)

// exportCommand writes everything of the running server to an archive.
type exportCommand struct {
	File string `arg:"" help:"Archive to write, such as jeton-export.tar.gz; it must not exist." type:"path"`
}

// Help implements kong.HelpProvider.
func (*exportCommand) Help() string {
	return "The archive has a Terraform configuration with import blocks, and the code of the functions. It has no values of secret variables and no tokens."
}

// Run exports all projects.
func (c *exportCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	endpoints, serving := server.Reach(line.DataDir)
	if !serving {
		return fmt.Errorf("export: no server uses %s: start 'jeton serve' first, or set --data-dir", line.DataDir)
	}
	client := admin.NewClient(endpoints.Admin)
	keys, err := exportKeys(ctx, client)
	defer func() {
		for _, key := range keys {
			_, _ = client.RevokeKey(context.WithoutCancel(ctx), key.AccessKey) // The keys expire anyway.
		}
	}()
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	bar := newProgressBar(s.err)
	config := leave.ExportConfig{Now: time.Now(), Progress: bar.show}
	for _, key := range keys {
		source, err := leave.Open(leave.SourceConfig{Profile: &scw.Profile{
			AccessKey: &key.AccessKey, SecretKey: &key.SecretKey, APIURL: &endpoints.API, DefaultProjectID: &key.ProjectID,
		}})
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		config.Sources = append(config.Sources, source)
	}
	counts, err := leave.ExportFile(ctx, c.File, config)
	bar.clear()
	if err != nil {
		return fmt.Errorf("export to %s: %w", c.File, err)
	}
	fmt.Fprintf(s.out, "%s: %d namespaces, %d functions (%d with code), %d tokens\n", c.File, counts.Namespaces, counts.Functions, counts.Archives, counts.Tokens)
	return nil
}

// exportKeyLife is the life of the API keys of an export, if they cannot be revoked.
const exportKeyLife = time.Hour

// exportKeys returns an API key for each project that can read it. The caller revokes them,
// also after an error.
func exportKeys(ctx context.Context, client *admin.Client) ([]admin.APIKey, error) {
	projects, err := client.Projects(ctx)
	if err != nil {
		return nil, err
	}
	var keys []admin.APIKey
	for _, p := range projects {
		key, err := client.CreateKey(ctx, admin.CreateKey{
			Project: p.ID, Description: "jeton export", Permissions: []string{"FunctionsReadOnly"}, ExpiresAt: time.Now().Add(exportKeyLife),
		})
		if err != nil {
			return keys, err
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("the server has no projects")
	}
	return keys, nil
}
