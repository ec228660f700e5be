package client_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
)

const (
	accessKey = "SCWXXXXXXXXXXXXXXXXX"
	secretKey = "11111111-1111-4111-8111-111111111111"

	configFile = `
access_key: SCWFILEXXXXXXXXXXXXX
secret_key: 22222222-2222-4222-8222-222222222222
default_region: nl-ams
profiles:
  other:
    access_key: SCWOTHERXXXXXXXXXXXX
    default_region: pl-waw
`
)

// setEnvironment replaces the environment and the configuration file from which
// profiles are loaded.
func setEnvironment(t *testing.T, file string, env map[string]string) {
	t.Helper()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "SCW_") || strings.HasPrefix(name, "SCALEWAY_") {
			t.Setenv(name, "")
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	if file != "" {
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(scw.ScwConfigPathEnv, path)
	for name, value := range env {
		t.Setenv(name, value)
	}
}

func TestLoadProfile_LaterSourcesOverride(t *testing.T) {
	keys := client.Settings{AccessKey: new(accessKey), SecretKey: new(secretKey)}
	inBlock := keys
	inBlock.Region = new("pl-waw")
	tests := map[string]struct {
		file   string
		env    map[string]string
		block  client.Settings
		region string
		access string
	}{
		"built in":                        {block: keys, region: "fr-par", access: accessKey},
		"the file wins over built in":     {file: configFile, region: "nl-ams", access: "SCWFILEXXXXXXXXXXXXX"},
		"the block wins over the file":    {file: configFile, block: inBlock, region: "pl-waw", access: accessKey},
		"the environment wins over all":   {file: configFile, block: inBlock, env: map[string]string{"SCW_DEFAULT_REGION": "fr-par"}, region: "fr-par", access: accessKey},
		"a profile of the block":          {file: configFile, block: client.Settings{Profile: new("other")}, region: "pl-waw", access: "SCWOTHERXXXXXXXXXXXX"},
		"the block wins over its profile": {file: configFile, block: client.Settings{Profile: new("other"), Region: new("fr-par")}, region: "fr-par", access: "SCWOTHERXXXXXXXXXXXX"},
		"a profile of the environment":    {file: configFile, env: map[string]string{"SCW_PROFILE": "other"}, region: "pl-waw", access: "SCWOTHERXXXXXXXXXXXX"},
		"an empty variable is not set":    {file: configFile, env: map[string]string{"SCW_DEFAULT_REGION": ""}, region: "nl-ams", access: "SCWFILEXXXXXXXXXXXXX"},
		"an empty block value is not set": {file: configFile, block: client.Settings{Region: new("")}, region: "nl-ams", access: "SCWFILEXXXXXXXXXXXXX"},
		"keys of the environment only":    {env: map[string]string{"SCW_ACCESS_KEY": accessKey, "SCW_SECRET_KEY": secretKey}, region: "fr-par", access: accessKey},
		"a slash at the end of the url":   {block: keys, env: map[string]string{"SCW_API_URL": "http://127.0.0.1:1/"}, region: "fr-par", access: accessKey},
		"a region unknown to the SDK":     {block: keys, env: map[string]string{"SCW_DEFAULT_REGION": "xx-new"}, region: "xx-new", access: accessKey},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			setEnvironment(t, test.file, test.env)
			profile, err := client.LoadProfile(test.block)
			if err != nil {
				t.Fatal(err)
			}
			if got := *profile.DefaultRegion; got != test.region {
				t.Errorf("got region %q, want %q", got, test.region)
			}
			if got := *profile.AccessKey; got != test.access {
				t.Errorf("got access key %q, want %q", got, test.access)
			}
			if _, err := client.New(profile, "test"); err != nil {
				t.Errorf("New refuses the profile: %v", err)
			}
		})
	}
}

func TestLoadProfile_NamesWhereToCorrect(t *testing.T) {
	const malformed = "not-a-uuid-but-still-secret"
	with := func(change func(*client.Settings)) client.Settings {
		s := client.Settings{AccessKey: new(accessKey), SecretKey: new(secretKey)}
		change(&s)
		return s
	}
	tests := map[string]struct {
		file  string
		block client.Settings
		want  []string
	}{
		"no credentials":         {want: []string{"access key and no secret key", "SCW_ACCESS_KEY", "provider block", "config.yaml"}},
		"no secret key":          {block: client.Settings{AccessKey: new(accessKey)}, want: []string{"no secret key", "SCW_SECRET_KEY"}},
		"malformed access":       {block: with(func(s *client.Settings) { s.AccessKey = new("SCW1") }), want: []string{"SCW1", "SCW_ACCESS_KEY"}},
		"malformed secret":       {block: with(func(s *client.Settings) { s.SecretKey = new(malformed) }), want: []string{"UUID", "SCW_SECRET_KEY"}},
		"malformed project":      {block: with(func(s *client.Settings) { s.ProjectID = new("p") }), want: []string{"project_id", "SCW_DEFAULT_PROJECT_ID"}},
		"malformed region":       {block: with(func(s *client.Settings) { s.Region = new("../x") }), want: []string{"fr-par"}},
		"malformed zone":         {block: with(func(s *client.Settings) { s.Zone = new("fr-par") }), want: []string{"fr-par-1"}},
		"url without scheme":     {block: with(func(s *client.Settings) { s.APIURL = new("api.scaleway.com") }), want: []string{"https://api.scaleway.com"}},
		"url of another kind":    {block: with(func(s *client.Settings) { s.APIURL = new("file:///etc/passwd") }), want: []string{"https://api.scaleway.com"}},
		"no such profile":        {block: client.Settings{Profile: new("gone")}, want: []string{`"gone"`, "config.yaml"}},
		"file that is not a map": {file: "secret_key: [" + malformed + "]", want: []string{"config.yaml", "SCW_CONFIG_PATH"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			setEnvironment(t, test.file, nil)
			_, err := client.LoadProfile(test.block)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not mention %q", err, want)
				}
			}
			if strings.Contains(err.Error(), malformed[:7]) {
				t.Errorf("error %q contains the secret key", err)
			}
		})
	}
}

func TestKeySources_NamesSourcesWithoutKeys(t *testing.T) {
	env := map[string]string{"SCW_SECRET_KEY": secretKey}
	block := client.Settings{AccessKey: new(accessKey), SecretKey: new(secretKey)}
	tests := map[string]struct {
		file  string
		env   map[string]string
		block client.Settings
		want  []string
	}{
		"the block":                     {configFile, nil, block, []string{"The secret key is from secret_key of the provider block, and the access key from access_key of the provider block."}},
		"the active profile":            {configFile, nil, client.Settings{}, []string{"The keys are from the active profile in ", "config.yaml."}},
		"a profile of the block":        {configFile, nil, client.Settings{Profile: new("other")}, []string{`from the profile "other" of the provider block, which is in `, "config.yaml"}},
		"the environment over the rest": {configFile, env, block, []string{"The secret key is from the environment variable SCW_SECRET_KEY, and the access key from access_key of the provider block."}},
		"an empty variable":             {configFile, map[string]string{"SCW_SECRET_KEY": ""}, client.Settings{}, []string{"The keys are from the active profile in "}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			setEnvironment(t, test.file, test.env)
			profile, err := client.LoadProfile(test.block)
			if err != nil {
				t.Fatal(err)
			}
			c, err := client.New(profile, "test")
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if got := c.KeySources(); !strings.Contains(got, want) {
					t.Errorf("got %q, want it to contain %q", got, want)
				}
			}
			if strings.Contains(c.KeySources(), secretKey) || strings.Contains(c.KeySources(), accessKey) {
				t.Errorf("%q contains a key", c.KeySources())
			}
		})
	}
}
