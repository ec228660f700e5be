package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/official"
)

// programs builds jeton, the provider and the stand-in for the official provider, whose own
// program cannot be part of the tests, and returns their folder.
var programs = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(workFolder, "programs")
	command := exec.Command("go", "build", "-o", dir+"/", "./cmd/jeton", "./cmd/terraform-provider-scaleway", "./test/official/standin")
	command.Dir = "../.."
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the programs: %w\n%s", err, output)
	}
	return dir, nil
})

// attached runs `jeton tf` in a folder.
type attached struct {
	*cli
	programs, buckets string
}

// attach returns a folder with a configuration for `jeton tf`. The official provider is not
// installed.
func attach(t *testing.T, configuration string) *attached {
	t.Helper()
	a := &attached{cli: &cli{t: t, dir: t.TempDir()}, programs: must(programs()), buckets: t.TempDir()}
	a.write("main.tf", configuration)
	a.env = append(os.Environ(), "TF_IN_AUTOMATION=1", "STANDIN_DIR="+a.buckets, "JETON_TERRAFORM="+commandLine, "HOME="+a.dir,
		"SCW_CONFIG_PATH="+filepath.Join(a.dir, "scw.yaml"))
	return a
}

// installOfficial puts the stand-in where terraform init installs the official provider.
func (a *attached) installOfficial() {
	a.t.Helper()
	dir := filepath.Join(a.dir, ".terraform/providers/registry.terraform.io/scaleway/scaleway/2.81.0", runtime.GOOS+"_"+runtime.GOARCH)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		a.t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(a.programs, "standin"), filepath.Join(dir, "terraform-provider-scaleway_v2.81.0")); err != nil {
		a.t.Fatal(err)
	}
}

// tf runs jeton tf against a server and returns its output and its exit status.
func (a *attached) tf(j *jetontest.Jeton, arguments ...string) (string, int) {
	a.t.Helper()
	command := exec.CommandContext(a.t.Context(), filepath.Join(a.programs, "jeton"), append([]string{"tf"}, arguments...)...)
	command.Dir, command.Env = a.dir, append(a.env, "JETON_DATA_DIR="+j.DataDir)
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		a.t.Fatalf("run jeton tf %s: %v", strings.Join(arguments, " "), err)
	}
	return string(output), command.ProcessState.ExitCode()
}

// succeeds fails the test unless the command succeeds.
func (a *attached) succeeds(j *jetontest.Jeton, arguments ...string) string {
	a.t.Helper()
	output, status := a.tf(j, arguments...)
	if status != 0 {
		a.t.Fatalf("jeton tf %s: got exit status %d:\n%s", strings.Join(arguments, " "), status, output)
	}
	return output
}

// refused fails the test unless the command fails with a message.
func (a *attached) refused(j *jetontest.Jeton, want string, arguments ...string) {
	a.t.Helper()
	output, status := a.tf(j, arguments...)
	if status != 1 || !strings.Contains(unfolded(output), want) {
		a.t.Errorf("jeton tf %s: got exit status %d, want 1 and %q in:\n%s", strings.Join(arguments, " "), status, want, output)
	}
}

var applied = []string{"apply", "-auto-approve", "-no-color"}

// bucket returns what the stand-in has stored of a bucket.
func (a *attached) bucket(name string) map[string]string {
	a.t.Helper()
	var stored map[string]string
	if err := json.Unmarshal(must(os.ReadFile(filepath.Join(a.buckets, "scaleway_object_bucket-"+name+".json"))), &stored); err != nil {
		a.t.Fatal(err)
	}
	return stored
}

// namespaces returns the names of the namespaces of a project.
func namespaces(j *jetontest.Jeton, project string) []string {
	var names []string
	for _, n := range must(function.NewAPI(j.Client()).ListNamespaces(&function.ListNamespacesRequest{ProjectID: &project})).Namespaces {
		names = append(names, n.Name)
	}
	return names
}

const bucketAndNamespace = namespace + `
resource "scaleway_object_bucket" "data" {
  name = "data-${scaleway_function_namespace.main.name}"
}
`

func TestTF_PassesOtherResourcesOnToTheOfficialProvider(t *testing.T) {
	t.Parallel()
	j := jetontest.Start(t)
	a := attach(t, official.Requiring(official.Address)+`provider "scaleway" {
  region = "nl-ams"
}
`+bucketAndNamespace)
	a.installOfficial()
	a.env = append(a.env, "SCW_ACCESS_KEY=SCWSCALEWAYSCALEWAY0")
	a.succeeds(j, applied...)
	// The namespace is not one of the official provider, which has the type too.
	if files := must(os.ReadDir(a.buckets)); len(files) != 1 {
		t.Errorf("got %d objects of the official provider, want the bucket", len(files))
	}
	got := a.bucket("data-tests")
	want := map[string]string{"Name": "data-tests", "Region": "nl-ams", "EnvironmentKey": "SCWSCALEWAYSCALEWAY0"}
	for name, value := range got {
		if value != want[name] {
			t.Errorf("the official provider got %s = %q, want %q", name, value, want[name])
		}
	}
	if output, status := a.tf(j, "plan", "-detailed-exitcode", "-no-color"); status != 0 {
		t.Errorf("plan: got exit status %d, want 0:\n%s", status, output)
	}
	a.succeeds(j, "destroy", "-auto-approve", "-no-color")
	if files := must(os.ReadDir(a.buckets)); len(files) != 0 {
		t.Errorf("destroy: got %d objects of the official provider, want 0", len(files))
	}
}

// The variables of `jeton env` select the Jeton server. The official provider must not receive
// a key of it.
func TestTF_OfficialProviderReceivesNoKeyOfTheServer(t *testing.T) {
	t.Parallel()
	j := jetontest.Start(t)
	a := attach(t, official.Requiring(official.Address)+fmt.Sprintf(`provider "scaleway" {
  api_url    = %q
  access_key = %q
  secret_key = %q
  project_id = %q
}
`, j.APIURL, j.AccessKey, j.SecretKey, j.ProjectID)+bucketAndNamespace)
	a.installOfficial()
	for name, value := range j.Env() {
		a.env = append(a.env, name+"="+value)
	}
	a.succeeds(j, applied...)
	for name, value := range a.bucket("data-tests") {
		if value != "" && name != "Name" {
			t.Errorf("the official provider got %s = %q, want nothing", name, value)
		}
	}
}

func TestTF_NamesTheOfficialProviderIfItIsMissing(t *testing.T) {
	t.Parallel()
	j := jetontest.Start(t)
	a := attach(t, bucketAndNamespace)
	a.refused(j, "jeton: only the official provider has scaleway_object_bucket: run 'terraform init' to install it", applied...)
	a.installOfficial()
	a.env = append(a.env, "STANDIN_DIR=")
	a.refused(j, "The official provider has no credentials", applied...)
	// Functions work without them.
	a.configure(namespace)
	a.succeeds(j, applied...)
}

func TestTF_RefusesProviderBlocksOfOtherServers(t *testing.T) {
	t.Parallel()
	j := jetontest.Start(t)
	a := attach(t, "")
	a.write("scw.yaml", "profiles:\n  cloud:\n    access_key: SCWSCALEWAYSCALEWAY0\n    secret_key: 11111111-1111-4111-8111-111111111111\n")
	for name, test := range map[string]struct{ block, want string }{
		"another URL":          {`api_url = "https://api.scaleway.com"`, "api_url of the provider block is https://api.scaleway.com, and jeton tf uses the server at " + j.APIURL},
		"a profile":            {`profile = "cloud"`, `the profile "cloud" of the provider block belongs to Scaleway`},
		"a missing profile":    {`profile = "none"`, `no profile "none"`},
		"an unknown key":       {"access_key = \"SCWSCALEWAYSCALEWAY0\"\n  secret_key = \"11111111-1111-4111-8111-111111111111\"", "has no API key SCWSCALEWAYSCALEWAY0"},
		"half a key":           {`access_key = "SCWSCALEWAYSCALEWAY0"`, "has only one of access_key and secret_key"},
		"an unknown project":   {`project_id = "11111111-1111-4111-8111-111111111111"`, "has no project 11111111-1111-4111-8111-111111111111"},
		"a wrong organization": {`organization_id = "11111111-1111-4111-8111-111111111111"`, "remove organization_id"},
	} {
		a.configure("provider \"scaleway\" {\n  " + test.block + "\n}\n" + namespace)
		output, status := a.tf(j, applied...)
		if got := strings.ToLower(unfolded(output)); status != 1 || !strings.Contains(got, strings.ToLower(test.want)) {
			t.Errorf("%s: got exit status %d, want 1 and %q in:\n%s", name, status, test.want, output)
		}
	}
	if got := namespaces(j, j.ProjectID); len(got) != 0 {
		t.Errorf("got namespaces %v, want none", got)
	}
}

func TestTF_HonoursProviderBlocksAndAliases(t *testing.T) {
	t.Parallel()
	j := jetontest.Start(t)
	projects := map[string]string{}
	for _, name := range []string{"one", "two"} {
		projects[name] = must(j.Admin.CreateProject(t.Context(), name)).ID
	}
	key := j.Key(projects["two"], iam.FullAccess)
	_, port, _ := strings.Cut(strings.TrimPrefix(j.APIURL, "http://"), ":")
	a := attach(t, fmt.Sprintf(`
provider "scaleway" {
  api_url    = "http://localhost:%s/"
  project_id = %q
}

provider "scaleway" {
  alias      = "two"
  access_key = %q
  secret_key = %q
  project_id = %q
}

provider "scaleway" {
  alias   = "named"
  profile = "here"
}

resource "scaleway_function_namespace" "one" {
  name = "one"
}

resource "scaleway_function_namespace" "two" {
  provider = scaleway.two
  name     = "two"
}

resource "scaleway_function_namespace" "named" {
  provider = scaleway.named
  name     = "named"
}
`, port, projects["one"], key.AccessKey, key.SecretKey, projects["two"]))
	a.write("scw.yaml", fmt.Sprintf("profiles:\n  here:\n    api_url: %s\n    default_project_id: %s\n", j.APIURL, j.ProjectID))
	// The variables of another account do not override the blocks.
	a.env = append(a.env, "SCW_ACCESS_KEY=SCWSCALEWAYSCALEWAY0", "SCW_SECRET_KEY=11111111-1111-4111-8111-111111111111",
		"SCW_DEFAULT_PROJECT_ID=11111111-1111-4111-8111-111111111111")
	a.succeeds(j, applied...)
	for name, project := range map[string]string{"one": projects["one"], "two": projects["two"], "named": j.ProjectID} {
		if got := namespaces(j, project); len(got) != 1 || got[0] != name {
			t.Errorf("project of %s: got namespaces %v", name, got)
		}
	}
	if output, status := a.tf(j, "plan", "-detailed-exitcode", "-no-color"); status != 0 {
		t.Errorf("plan: got exit status %d, want 0:\n%s", status, output)
	}
}

// mixedProviders is the layout of the guide "Switch from the official provider".
const mixedProviders = `
terraform {
  required_providers {
    scaleway  = { source = "scaleway/scaleway" }
    functions = { source = "jeton-dev/scaleway" }
  }
}

provider "scaleway" {
  access_key = "SCWSCALEWAYSCALEWAY0"
  secret_key = "11111111-1111-4111-8111-111111111111"
}

resource "scaleway_function_namespace" "main" {
  provider = functions
  name     = "shop"
}

resource "scaleway_object_bucket" "data" {
  name = "shop"
}
`

func TestTF_TwoProviderLayout(t *testing.T) {
	t.Parallel()
	j := jetontest.Start(t)
	a := attach(t, mixedProviders)
	a.installOfficial()
	a.succeeds(j, applied...)
	if got := namespaces(j, j.ProjectID); len(got) != 1 || got[0] != "shop" {
		t.Errorf("got namespaces %v, want shop", got)
	}
	if got := a.bucket("shop")["AccessKey"]; got != "SCWSCALEWAYSCALEWAY0" {
		t.Errorf("the official provider got the key %q, want that of its block", got)
	}
	// A function with the provider of the bucket is refused: its block selects Scaleway.
	a.configure(strings.Replace(mixedProviders, "  provider = functions\n", "", 1))
	a.refused(j, "has no API key SCWSCALEWAYSCALEWAY0", "plan", "-no-color")
}

// The guide's layout with terraform alone: the official provider's state with functions and
// buckets continues with functions under this provider.
func TestSwitchGuide_TwoProviderLayoutWorks(t *testing.T) {
	t.Parallel()
	j := jetontest.Start(t)
	c := &cli{t: t, dir: t.TempDir()}
	dirs, overrides := map[string]string{ownAddress: "terraform-provider-scaleway", official.Address: "standin"}, ""
	for address, program := range dirs {
		dir := t.TempDir()
		if err := os.Symlink(filepath.Join(must(programs()), program), filepath.Join(dir, providerProgram)); err != nil {
			t.Fatal(err)
		}
		overrides += fmt.Sprintf("    %q = %q\n", address, dir)
	}
	c.write("overrides.tfrc", "provider_installation {\n  dev_overrides {\n"+overrides+"  }\n  direct {}\n}\n")
	c.write("main.tf", mixedProviders)
	buckets := t.TempDir()
	c.env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(c.dir, "overrides.tfrc"), "STANDIN_DIR="+buckets)
	for name, value := range j.Env() {
		c.env = append(c.env, name+"="+value)
	}
	// The namespace exists, and its state is one of the official provider.
	n := must(function.NewAPI(j.Client()).CreateNamespace(&function.CreateNamespaceRequest{Name: "shop"}))
	c.write("terraform.tfstate", fmt.Sprintf(`{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "a", "outputs": {}, "resources": [{
  "mode": "managed", "type": "scaleway_function_namespace", "name": "main",
  "provider": "provider[\"registry.terraform.io/scaleway/scaleway\"]",
  "instances": [{"schema_version": 0, "attributes": {"id": "fr-par/%s", "name": "shop", "region": "fr-par", "project_id": %q, "organization_id": %q}}]}]}`,
		n.ID, j.ProjectID, j.OrganizationID))
	c.apply()
	if got := namespaces(j, j.ProjectID); len(got) != 1 {
		t.Errorf("got namespaces %v, want the existing one", got)
	}
	if files := must(os.ReadDir(buckets)); len(files) != 1 {
		t.Errorf("got %d objects of the official provider, want the bucket", len(files))
	}
	state := c.read("terraform.tfstate")
	for _, want := range []string{`provider[\"registry.terraform.io/jeton-dev/scaleway\"]`, `provider[\"registry.terraform.io/scaleway/scaleway\"]`, n.ID} {
		if !strings.Contains(state, want) {
			t.Errorf("the state does not contain %s", want)
		}
	}
	if output, status := c.run("plan", "-no-color", "-detailed-exitcode"); status != 0 {
		t.Errorf("plan: got exit status %d, want 0:\n%s", status, output)
	}
}

func TestTF_RefusesAStateOfAnotherServer(t *testing.T) {
	t.Parallel()
	first, second := jetontest.Start(t), jetontest.Start(t)
	a := attach(t, namespace)
	a.succeeds(first, applied...)
	saved := a.read("terraform.tfstate")
	for _, arguments := range [][]string{
		{"plan", "-no-color"},
		{"plan", "-no-color", "-refresh=false"},
		{"plan", "-no-color", "-destroy"},
		applied,
		{"destroy", "-auto-approve", "-no-color"},
		{"destroy", "-auto-approve", "-no-color", "-refresh=false"},
		{"refresh", "-no-color"},
	} {
		a.refused(second, "is an object of the server "+first.OrganizationID, arguments...)
	}
	a.succeeds(first, "plan", "-no-color", "-out", "saved.plan", "-destroy")
	a.refused(second, "is an object of the server "+first.OrganizationID, "apply", "-no-color", "saved.plan")
	if got := a.read("terraform.tfstate"); got != saved {
		t.Errorf("got another state after the refusals:\n%s", got)
	}
	a.succeeds(second, append([]string{"--adopt"}, applied...)...)
	if got := namespaces(second, second.ProjectID); len(got) != 1 {
		t.Errorf("adopt: got namespaces %v, want one", got)
	}
	a.succeeds(second, "plan", "-no-color", "-detailed-exitcode")
	if got := namespaces(first, first.ProjectID); len(got) != 1 {
		t.Errorf("adopt: got namespaces %v of the first server, want one", got)
	}
}

// Imported resources belong to the server from which they were imported, and resources that the
// provider has imported without jeton tf belong to the server that reads them first.
func TestTF_RefusesImportsFromAnotherServer(t *testing.T) {
	t.Parallel()
	first, second := jetontest.Start(t), jetontest.Start(t)
	id := ""
	for _, j := range []*jetontest.Jeton{first, second} {
		n := must(function.NewAPI(j.Client()).CreateNamespace(&function.CreateNamespaceRequest{Name: "tests"}))
		if j == first {
			id = "fr-par/" + n.ID
		}
	}
	block := fmt.Sprintf("import {\n  to = scaleway_function_namespace.main\n  id = %q\n}\n", id)
	for name, test := range map[string]struct {
		configuration string
		prepare       func(a *attached)
	}{
		"command": {namespace, func(a *attached) {
			a.succeeds(first, "import", "-no-color", "scaleway_function_namespace.main", id)
		}},
		"block": {block + namespace, func(a *attached) { a.succeeds(first, applied...) }},
		// The mark must be in the state although nothing else changes.
		"state without a mark": {namespace, func(a *attached) {
			a.succeeds(first, "import", "-no-color", "scaleway_function_namespace.main", id)
			state := a.read("terraform.tfstate")
			unmarked := regexp.MustCompile(`(?m)^ *"private": .*\n`).ReplaceAllString(state, "")
			if unmarked == state {
				t.Fatalf("got no private data in the state:\n%s", state)
			}
			a.write("terraform.tfstate", regexp.MustCompile(`,(\s*\})`).ReplaceAllString(unmarked, "$1"))
			a.succeeds(first, "apply", "-auto-approve", "-no-color", "-refresh-only")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			a := attach(t, test.configuration)
			test.prepare(a)
			// Without the block: it would import from the second server.
			a.write("main.tf", namespace)
			a.refused(second, "is an object of the server "+first.OrganizationID, "plan", "-no-color")
			a.refused(second, "is an object of the server "+first.OrganizationID, "plan", "-no-color", "-refresh=false")
			a.succeeds(first, "plan", "-no-color", "-detailed-exitcode")
		})
	}
}

// States of Scaleway have no mark.
func TestTF_RefusesAStateOfTheOfficialProvider(t *testing.T) {
	t.Parallel()
	w := start(t)
	configuration, state := w.official(t)
	other := jetontest.Start(t)
	a := attach(t, configuration)
	a.write("terraform.tfstate", state)
	for _, arguments := range [][]string{{"plan", "-no-color"}, {"destroy", "-auto-approve", "-no-color", "-refresh=false"}} {
		a.refused(other, "the state may belong to another server, such as Scaleway", arguments...)
	}
	// Its objects exist on this server.
	if output, status := a.tf(w.Jeton, "plan", "-no-color", "-detailed-exitcode"); status != 0 {
		t.Errorf("plan: got exit status %d, want 0:\n%s", status, output)
	}
}

// An object that was deleted elsewhere is created again, as with terraform.
func TestTF_CreatesDeletedObjectsAgain(t *testing.T) {
	t.Parallel()
	j := jetontest.Start(t)
	a := attach(t, namespace)
	a.succeeds(j, applied...)
	api := function.NewAPI(j.Client())
	for _, n := range must(api.ListNamespaces(&function.ListNamespacesRequest{})).Namespaces {
		must(api.DeleteNamespace(&function.DeleteNamespaceRequest{NamespaceID: n.ID}))
	}
	a.succeeds(j, applied...)
	if got := namespaces(j, j.ProjectID); len(got) == 0 {
		t.Error("got no namespace, want a new one")
	}
}
