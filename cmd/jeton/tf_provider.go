package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/remote"
)

const (
	providerProgram = "terraform-provider-scaleway"
	// attachmentVariable has the attachment as JSON. The provider reads it.
	attachmentVariable = "JETON_TF_ATTACHMENT"
)

// attachment describes the server to the provider, which has the same type.
type attachment struct {
	ServerID       string `json:"server_id"`
	URL            string `json:"url"`
	AccessKey      string `json:"access_key"`
	SecretKey      string `json:"secret_key"`
	ProjectID      string `json:"project_id"`
	OrganizationID string `json:"organization_id"`
	Adopt          bool   `json:"adopt"`
	Official       string `json:"official"`
}

// attachment asks the server for its ID.
func (c *tfCommand) attachment(ctx context.Context, line *commandLine, profile scw.Profile) (attachment, error) {
	a := attachment{
		URL: strings.TrimRight(text(profile.APIURL), "/"), AccessKey: text(profile.AccessKey), SecretKey: text(profile.SecretKey),
		ProjectID: text(profile.DefaultProjectID), OrganizationID: text(profile.DefaultOrganizationID),
	}
	if a.AccessKey == "" {
		// A key that was given as --api-key has only a secret.
		a.AccessKey = "SCWXXXXXXXXXXXXXXXXX"
	}
	err := c.server.withServer(line, func(server *remote.Server) error {
		info, err := server.Info(ctx)
		a.ServerID = info.ID
		return err
	})
	if err == nil && a.ServerID == "" {
		err = fmt.Errorf("the server at %s is older than this jeton and has no ID: update the server", a.URL)
	}
	return a, err
}

// findProvider returns the path of the provider: in the directory of this program, or else
// in PATH.
func findProvider() (string, error) {
	if self, err := os.Executable(); err == nil {
		path := filepath.Join(filepath.Dir(self), providerProgram)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(providerProgram)
	if err != nil {
		return "", fmt.Errorf("find %s: not in the directory of jeton or in PATH: build it with 'make build'", providerProgram)
	}
	return path, nil
}

// startProvider starts the provider as a server for terraform, and returns the value of
// TF_REATTACH_PROVIDERS for it.
func startProvider(ctx context.Context, a attachment, errOut io.Writer) (*exec.Cmd, string, error) {
	path, err := findProvider()
	if err != nil {
		return nil, "", err
	}
	command := exec.CommandContext(context.WithoutCancel(ctx), path, "-attach")
	encoded, err := json.Marshal(a)
	if err != nil {
		return nil, "", err
	}
	command.Env = append(os.Environ(), attachmentVariable+"="+string(encoded))
	command.Stderr = withoutTrace(errOut)
	command.SysProcAttr = detached()
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := command.Start(); err != nil {
		return nil, "", fmt.Errorf("start the provider: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, providerStart)
	defer cancel()
	stopWaiting := context.AfterFunc(ctx, func() { _ = command.Process.Kill() })
	defer stopWaiting()
	reattach, err := readReattach(output)
	if err != nil {
		stopProvider(command)
		return nil, "", fmt.Errorf("start the provider: %w", err)
	}
	go func() { _, _ = io.Copy(io.Discard, output) }()
	return command, reattach, nil
}

// readReattach reads the value of TF_REATTACH_PROVIDERS from the provider's output.
func readReattach(output io.Reader) (string, error) {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		_, value, found := strings.Cut(lines.Text(), reattachVariable+"='")
		value, whole := strings.CutSuffix(value, "'")
		if !found || !whole {
			continue
		}
		if !json.Valid([]byte(value)) {
			return "", fmt.Errorf("it printed an invalid %s", reattachVariable)
		}
		return value, nil
	}
	return "", errors.New("it did not print " + reattachVariable)
}
