package broker

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/schedule"
	"github.com/jeton-dev/jeton/internal/secret"
)

// Config maps the accounts and projects that triggers name to brokers. They are those of
// Scaleway's Messaging and Queuing. The first matching entry is used.
type Config struct {
	NATS []NATSServer `yaml:"nats"`
	SQS  []SQSService `yaml:"sqs"`
}

// AnyProject in a list of projects matches all projects.
const AnyProject = "*"

// Projects has the IDs of the projects whose triggers may use an entry, or AnyProject.
// An entry without projects is invalid: it would give all projects access to the
// messages of one.
type Projects struct {
	// Project is a shorter form for a single project.
	Project  string   `yaml:"project"`
	Projects []string `yaml:"projects"`
}

// allow reports whether triggers may use the entry for sources of the project.
func (p Projects) allow(project string) bool {
	return p.Project == AnyProject || p.Project != "" && p.Project == project ||
		slices.Contains(p.Projects, AnyProject) || slices.Contains(p.Projects, project) && project != ""
}

func (p Projects) empty() bool { return p.Project == "" && len(p.Projects) == 0 }

// A NATSServer has the subjects of accounts. An empty account or region matches all.
type NATSServer struct {
	Projects `yaml:",inline"`

	Account string `yaml:"account"`
	Region  string `yaml:"region"`
	// URL is nats:// or tls:// with a host, or a comma-separated list of such URLs.
	URL string `yaml:"url"`
	// Credentials is the path of a NATS credentials file. Optional.
	Credentials string `yaml:"credentials"`
}

// An SQSService has the queues of projects. An empty region matches all.
type SQSService struct {
	Projects `yaml:",inline"`

	Region    string    `yaml:"region"`
	Endpoint  string    `yaml:"endpoint"`
	AccessKey string    `yaml:"access_key"`
	SecretKey SecretKey `yaml:"secret_key"`
}

// A SecretKey can be decoded from YAML, and is never printed.
type SecretKey struct{ secret.String }

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (k *SecretKey) UnmarshalYAML(content []byte) error {
	var text string
	if err := yaml.Unmarshal(content, &text); err != nil {
		return errors.New("secret key: not a string")
	}
	k.String = secret.New(text)
	return nil
}

// maxConfig is the maximum size of the file in bytes.
const maxConfig = 1 << 20

// Load reads the configuration file at path. Its errors contain no secrets.
func Load(path string) (Config, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Config{}, fmt.Errorf("read brokers: %w", err)
	}
	if info.Size() > maxConfig {
		return Config{}, fmt.Errorf("read brokers: %s is larger than %d bytes", path, maxConfig)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read brokers: %w", err)
	}
	c, err := parse(content)
	if err != nil {
		return Config{}, fmt.Errorf("read brokers: %s: %w", path, err)
	}
	return c, nil
}

func parse(content []byte) (Config, error) {
	var c Config
	if err := yaml.UnmarshalWithOptions(content, &c, yaml.Strict()); err != nil {
		// The error of the library quotes lines of the file, which contains keys.
		return c, errors.New("not valid YAML with the lists nats and sqs and their known fields: see docs/triggers.md")
	}
	for i, n := range c.NATS {
		if n.empty() {
			return c, noProjects("nats", i)
		}
		if u, err := url.Parse(n.URL); err != nil || u.Host == "" {
			return c, fmt.Errorf("entry %d of nats: url must be like nats://host:4222", i+1)
		}
	}
	for i, s := range c.SQS {
		if s.empty() {
			return c, noProjects("sqs", i)
		}
		if u, err := url.Parse(s.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return c, fmt.Errorf("entry %d of sqs: endpoint must be like https://sqs.example.org", i+1)
		}
	}
	return c, nil
}

func noProjects(list string, i int) error {
	return fmt.Errorf("entry %d of %s has no projects: list the IDs of the projects whose triggers may use it under projects, or \"*\" for all", i+1, list)
}

// nats returns the server of a subject, or schedule.ErrNoBroker.
func (c Config) nats(s functions.NATSSubject) (NATSServer, error) {
	for _, n := range c.NATS {
		if matches(n.Account, s.AccountID) && n.allow(s.ProjectID) && matches(n.Region, s.Region) {
			return n, nil
		}
	}
	return NATSServer{}, fmt.Errorf("%w: no NATS server for account %q, project %q in %s: add one to the file of --brokers", schedule.ErrNoBroker, s.AccountID, s.ProjectID, s.Region)
}

// sqs returns the service of a queue, or schedule.ErrNoBroker.
func (c Config) sqs(q functions.SQSQueue) (SQSService, error) {
	for _, s := range c.SQS {
		if s.allow(q.ProjectID) && matches(s.Region, q.Region) {
			return s, nil
		}
	}
	return SQSService{}, fmt.Errorf("%w: no SQS service for project %q in %s: add one to the file of --brokers", schedule.ErrNoBroker, q.ProjectID, q.Region)
}

func matches(wanted, given string) bool { return wanted == "" || wanted == given }
