package compose_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// load parses the file for a cluster as Docker Compose does, with variables.
func load(t *testing.T, variables ...string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join("..", "..", "deploy", "compose", "cluster.yaml")}, cli.WithEnv(variables))
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(t.Context())
}

var variables = []string{"POSTGRES_PASSWORD=p", "S3_ACCESS_KEY=a", "S3_SECRET_KEY=s"}

// documented matches a setting of docs/jeton.yaml.
var documented = regexp.MustCompile(`(?m)^#?\s*([a-z0-9-]+):`)

// settings returns the environment variables of jeton serve.
func settings(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "jeton.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"JETON_DATA_DIR"}
	for _, match := range documented.FindAllSubmatch(page, -1) {
		all = append(all, "JETON_"+strings.ToUpper(strings.ReplaceAll(string(match[1]), "-", "_")))
	}
	return all
}

func TestCluster_ConfiguresThreeNodes(t *testing.T) {
	t.Parallel()
	project, err := load(t, variables...)
	if err != nil {
		t.Fatal(err)
	}
	known := settings(t)
	names, addresses, ports := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, service := range project.Services {
		if !strings.HasPrefix(service.Name, "node") {
			continue
		}
		for name, value := range service.Environment {
			if value == nil || *value == "" {
				t.Errorf("%s: %s has no value", service.Name, name)
			}
			if strings.HasPrefix(name, "JETON_") && !slices.Contains(known, name) {
				t.Errorf("%s: %s is no setting of docs/jeton.yaml", service.Name, name)
			}
		}
		variable := func(name string) string {
			if value := service.Environment[name]; value != nil {
				return *value
			}
			return ""
		}
		names[variable("JETON_NODE_NAME")], addresses[variable("JETON_CLUSTER_ADDRESS")] = true, true
		if want := service.Hostname + ":8083"; variable("JETON_CLUSTER_ADDRESS") != want {
			t.Errorf("%s: the address for other nodes is %q, want %q", service.Name, variable("JETON_CLUSTER_ADDRESS"), want)
		}
		if want := "postgres://jeton:p@postgres:5432/jeton?sslmode=disable"; variable("JETON_DATABASE") != want {
			t.Errorf("%s: the database is %q, want %q", service.Name, variable("JETON_DATABASE"), want)
		}
		for _, p := range service.Ports {
			if ports[p.Published] || p.HostIP != "127.0.0.1" {
				t.Errorf("%s: the port %s of %s is used twice or open to the network", service.Name, p.Published, p.HostIP)
			}
			ports[p.Published] = true
		}
		if len(service.Secrets) != 1 || "/run/secrets/"+service.Secrets[0].Source != variable("JETON_SEALING_KEY") {
			t.Errorf("%s: the sealing key is no secret of the service", service.Name)
		}
		if len(service.Volumes) != 1 || service.Volumes[0].Source != service.Name || service.Volumes[0].Target != variable("JETON_DATA_DIR") {
			t.Errorf("%s: the data folder is no volume of its own: %v", service.Name, service.Volumes)
		}
		for dependency := range service.DependsOn {
			if _, err := project.GetService(dependency); err != nil {
				t.Errorf("%s depends on %s: %v", service.Name, dependency, err)
			}
		}
	}
	if len(names) != 3 || len(addresses) != 3 {
		t.Errorf("got names %v and addresses %v, want three of each", names, addresses)
	}
}

// Without a password the file is refused.
func TestCluster_RequiresSecrets(t *testing.T) {
	t.Parallel()
	for i := range variables {
		without := slices.Delete(slices.Clone(variables), i, i+1)
		if _, err := load(t, without...); err == nil {
			t.Errorf("the file is accepted without %s", variables[i])
		}
	}
}
