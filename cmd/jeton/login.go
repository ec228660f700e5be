package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/scaleway/scaleway-sdk-go/scw"
	"golang.org/x/term"

	"github.com/jeton-dev/jeton/internal/remote"
	"github.com/jeton-dev/jeton/internal/server"
)

// loginCommand saves an API key of a server as a profile.
type loginCommand struct {
	URL     string `arg:"" help:"URL of the API of the server, such as https://functions.example.com."`
	Profile string `help:"Name of the profile (default: the host of the URL)." placeholder:"NAME"`
	Region  string `help:"Default region of the profile: fr-par, nl-ams or pl-waw." enum:"fr-par,nl-ams,pl-waw" default:"fr-par" placeholder:"REGION"`
	Replace bool   `help:"Replace a profile that belongs to another server."`
}

// Help implements kong.HelpProvider.
func (*loginCommand) Help() string {
	return `The command reads the secret key of an API key from the terminal, without an echo, or else from standard input. It sends the key to the server, and saves it in Scaleway's configuration file ($SCW_CONFIG_PATH or ~/.config/scw/config.yaml), which only you can read. The active profile of the file stays the same.

  jeton login https://functions.example.com
  jeton login https://functions.example.com --profile team < secret-key.txt`
}

// Run verifies the key and saves the profile.
func (c *loginCommand) Run(ctx context.Context, s streams) error {
	address, err := loginURL(c.URL)
	if err != nil {
		return err
	}
	name := c.Profile
	if name == "" {
		name = address.Hostname()
	}
	path, config, err := userConfig()
	if err != nil {
		return err
	}
	if old := config.Profiles[name]; old != nil && strings.TrimRight(text(old.APIURL), "/") != address.String() && !c.Replace {
		return fmt.Errorf("profile %s belongs to another server, %s: set --profile to another name, or add --replace", name, serverOf(old))
	}
	if ip := net.ParseIP(address.Hostname()); address.Scheme == "http" && address.Hostname() != "localhost" && !ip.IsLoopback() {
		fmt.Fprintf(s.err, "jeton: warning: the connection to %s is not encrypted: others in the network can read the key\n", address.Host)
	}
	secret, err := readSecret(s, "Secret key for "+address.Host+": ")
	if err != nil {
		return err
	}
	profile := scw.Profile{APIURL: new(address.String()), SecretKey: &secret, DefaultRegion: &c.Region}
	session, err := verified(ctx, profile)
	if err != nil {
		return err
	}
	profile.AccessKey, profile.DefaultProjectID, profile.DefaultOrganizationID = &session.AccessKey, &session.DefaultProjectID, &session.OrganizationID
	if config.Profiles == nil {
		config.Profiles = map[string]*scw.Profile{}
	}
	config.Profiles[name] = &profile
	if err := server.SaveCredentials(path, config); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "jeton: saved the key %s (%s) as profile %s in %s\n", session.AccessKey, strings.Join(session.Permissions, ", "), name, path)
	_, err = fmt.Fprintln(s.out, "export JETON_PROFILE="+quote(name))
	return err
}

// loginURL returns a URL of an API without a trailing slash.
func loginURL(given string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(given, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is not the URL of an API: write one such as https://functions.example.com", given)
	}
	return u, nil
}

// userConfig returns Scaleway's configuration file of the user and its content, which is empty if
// there is no file. The path is that of the file itself, not of a symbolic link.
func userConfig() (path string, config *scw.Config, err error) {
	path = scw.GetConfigPath()
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	config, err = scw.LoadConfigFromPath(path)
	if _, missing := errors.AsType[*scw.ConfigFileNotFoundError](err); missing {
		return path, new(scw.Config), nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("read %s: %w", path, err)
	}
	return path, config, nil
}

// serverOf returns the server of a profile, for messages.
func serverOf(p *scw.Profile) string {
	if text(p.APIURL) == "" {
		return "Scaleway"
	}
	return text(p.APIURL)
}

// maxSecret is the maximum length of a line with a secret key.
const maxSecret = 4096

// readSecret reads a line from the terminal without an echo, or else from standard input.
func readSecret(s streams, prompt string) (string, error) {
	var line string
	if file, ok := s.in.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fmt.Fprint(s.err, prompt)
		typed, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(s.err)
		if err != nil {
			return "", fmt.Errorf("read the secret key: %w", err)
		}
		line = string(typed)
	} else {
		read, err := bufio.NewReader(io.LimitReader(s.in, maxSecret)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the secret key: %w", err)
		}
		line = read
	}
	if line = strings.TrimSpace(line); line == "" {
		return "", errors.New("no secret key: type it, or pass it on standard input")
	}
	return line, nil
}

// verified returns what a server knows of the API key of a profile.
func verified(ctx context.Context, profile scw.Profile) (remote.Session, error) {
	s, err := remote.New(remote.Config{Profile: profile, UserAgent: "jeton/" + currentVersion()})
	if err != nil {
		return remote.Session{}, errors.New("the secret key has the wrong form: it is a UUID, such as 11111111-1111-1111-1111-111111111111")
	}
	session, err := s.Session(ctx)
	switch {
	case err == nil && session.AccessKey != "":
		return session, nil
	case remote.StatusOf(err) == http.StatusUnauthorized:
		return remote.Session{}, fmt.Errorf("%s refuses the secret key: %w: ask its operator for a key of 'jeton apikey create'", s.URL, err)
	case err == nil || remote.StatusOf(err) == http.StatusNotFound || notJSON(err):
		return remote.Session{}, fmt.Errorf("%s is not the API of a Jeton server: use the URL of --api-url", s.URL)
	}
	return remote.Session{}, explain(err, s.URL)
}

// notJSON reports whether a response is not JSON, such as the page of another website.
func notJSON(err error) bool {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	return syntax
}

// untrusted reports whether a client refuses the certificate of a server.
func untrusted(err error) bool {
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	return unknown
}
