package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/remote"
	"github.com/jeton-dev/jeton/internal/server"
)

// connectFlags select the server of a command. Without them it is the server that SCW_API_URL
// names, or else the one of the data directory.
type connectFlags struct {
	APIURL      string `name:"api-url" help:"URL of the API of a server." placeholder:"URL"`
	APIKey      string `name:"api-key" help:"Secret key of an API key. Others can see flags: prefer the variable." placeholder:"KEY"`
	Profile     string `help:"Profile of Scaleway's configuration file, ~/.config/scw/config.yaml." placeholder:"NAME" xor:"credentials"`
	Credentials string `help:"File with the API key (default: <data-dir>.credentials.yaml)." placeholder:"FILE" xor:"credentials"`
	Region      string `help:"Region: fr-par, nl-ams or pl-waw (default: that of the profile)." placeholder:"REGION"`
}

// connect returns a client of the selected server.
func (c connectFlags) connect(line *commandLine) (*remote.Server, error) {
	profile, err := c.profile(line.DataDir)
	if err != nil {
		return nil, err
	}
	if c.Region != "" {
		profile.DefaultRegion = &c.Region
	}
	return remote.New(remote.Config{Profile: profile, UserAgent: "jeton/" + currentVersion()})
}

// profile returns the URL and the API key of the selected server.
func (c connectFlags) profile(dataDir string) (scw.Profile, error) {
	if c.APIURL != "" && c.APIKey != "" {
		return scw.Profile{APIURL: &c.APIURL, SecretKey: &c.APIKey}, nil
	}
	found, implicit, err := c.source(dataDir)
	if err != nil {
		return scw.Profile{}, err
	}
	if c.APIURL != "" && implicit && strings.TrimRight(c.APIURL, "/") != text(found.APIURL) {
		// The key of one server must not be sent to another one.
		return scw.Profile{}, fmt.Errorf("no API key for %s: set --api-key ($JETON_API_KEY), --profile or --credentials", c.APIURL)
	}
	if c.APIURL != "" {
		found.APIURL = &c.APIURL
	}
	if c.APIKey != "" {
		found.AccessKey, found.SecretKey, found.DefaultProjectID, found.DefaultOrganizationID = nil, &c.APIKey, nil, nil
	}
	return found, nil
}

// source returns the profile that the flags, the environment or the data directory contain.
// implicit means that the user has not named it.
func (c connectFlags) source(dataDir string) (_ scw.Profile, implicit bool, err error) {
	environment := scw.LoadEnvProfile()
	switch {
	case c.Profile != "":
		profile, err := namedProfile(c.Profile)
		return profile, false, err
	case c.Credentials != "":
		profile, err := credentialsOf(c.Credentials)
		return profile, false, err
	case dataDir == server.DefaultDataDir() && text(environment.APIURL) != "":
		if text(environment.SecretKey) == "" && c.APIKey == "" {
			return scw.Profile{}, false, fmt.Errorf("no API key for %s: set %s", text(environment.APIURL), scw.ScwSecretKeyEnv)
		}
		return *environment, false, nil
	}
	profile, err := credentialsOf(server.CredentialsPath(dataDir))
	return profile, true, err
}

// namedProfile returns a profile of Scaleway's configuration file that names a server.
func namedProfile(name string) (scw.Profile, error) {
	config, err := scw.LoadConfig()
	if err != nil {
		return scw.Profile{}, fmt.Errorf("read profile %s: %w", name, err)
	}
	profile, err := config.GetProfile(name)
	if err != nil {
		return scw.Profile{}, fmt.Errorf("read profile %s: %w", name, err)
	}
	if text(profile.APIURL) == "" {
		return scw.Profile{}, fmt.Errorf("profile %s has no api_url and so belongs to Scaleway: set api_url to the URL of a Jeton server", name)
	}
	return *profile, nil
}

// credentialsOf returns the profile in a credentials file.
func credentialsOf(path string) (scw.Profile, error) {
	config, err := scw.LoadConfigFromPath(path)
	_, missing := errors.AsType[*scw.ConfigFileNotFoundError](err)
	switch {
	case missing:
		return scw.Profile{}, fmt.Errorf("no credentials at %s: start 'jeton serve' first, or set --data-dir, --credentials, --profile or SCW_API_URL", path)
	case unreadable(path):
		return scw.Profile{}, fmt.Errorf("read credentials at %s: permission denied: run the command as the user of the server, or pass a file of yours with --credentials", path)
	case err != nil:
		return scw.Profile{}, fmt.Errorf("read credentials at %s: %w", path, err)
	}
	return config.Profile, nil
}

// unreadable reports whether a file exists that this user may not read.
func unreadable(path string) bool {
	file, err := os.Open(path)
	if err == nil {
		_ = file.Close()
	}
	return errors.Is(err, fs.ErrPermission)
}

// explain adds to an error what to do if no server answers.
func explain(err error, at string) error {
	_, network := errors.AsType[*net.OpError](err)
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no server answers at %s: start 'jeton serve', or set --api-url or --profile: %w", at, err)
	case untrusted(err):
		return fmt.Errorf("connect to the server at %s: %w: if a local authority issued it, set SSL_CERT_FILE to the output of 'jeton ca --api'", at, err)
	case network:
		return fmt.Errorf("connect to the server at %s: %w", at, err)
	}
	return err
}

// remoteCommand is embedded in commands that use a server.
type remoteCommand struct {
	connectFlags `group:"server"`
}

// withServer calls do with the selected server, and explains its error.
func (c remoteCommand) withServer(line *commandLine, do func(*remote.Server) error) error {
	s, err := c.connect(line)
	if err != nil {
		return err
	}
	return explain(do(s), s.URL)
}
