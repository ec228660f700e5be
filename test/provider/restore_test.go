package provider_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/jeton-dev/jeton/internal/backup"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/s3server"
)

// A single server is backed up and loaded into a cluster: Terraform plans no change, and a
// token of before admits calls.
func TestRestoreToCluster_KeepsStateAndTokens(t *testing.T) {
	t.Parallel()
	//nolint:usetesting // The test is parallel, and no other one uses a bucket.
	_, _ = os.Setenv("AWS_ACCESS_KEY_ID", s3server.AccessKey), os.Setenv("AWS_SECRET_ACCESS_KEY", s3server.SecretKey)
	w := start(t)
	configuration := w.config("%s", nodeFunction(`
  zip_file = "`+nodeArchive(t)+`"
  deploy   = true
  environment_variables        = { PLAIN = "p" }
  secret_environment_variables = { SECRET = "`+jetontest.SecretMark+`" }
`)+`
resource "scaleway_function_token" "main" {
  function_id = scaleway_function.main.id
  expires_at  = "2040-01-31T12:00:00Z"
}
resource "scaleway_function_cron" "main" {
  function_id = scaleway_function.main.id
  schedule    = "0 0 1 1 *"
  args        = jsonencode({ a = "b" })
}
`)
	var token, host string
	remember := func(s *terraform.State) error {
		module := s.RootModule()
		token = module.Resources["scaleway_function_token.main"].Primary.Attributes["token"]
		host = module.Resources["scaleway_function.main"].Primary.Attributes["domain_name"]
		return nil
	}
	node := new(jetontest.Jeton)
	w.run(t,
		resource.TestStep{Config: configuration, Check: remember},
		resource.TestStep{Config: configuration, PlanOnly: true},
		resource.TestStep{
			PreConfig: func() {
				callFirst(t, w.GatewayURL, host, token)
				node = grow(t, w.Jeton)
				w.front.Redirect(t, node.APIURL)
				callFirst(t, node.GatewayURL, host, token)
			},
			Config: configuration, PlanOnly: true,
		},
	)
	if node.GatewayURL == "" {
		t.Fatal("the cluster was not started")
	}
}

// grow stops a single server and starts a node of a cluster with its backup.
func grow(t *testing.T, j *jetontest.Jeton) *jetontest.Jeton {
	t.Helper()
	j.Stop()
	var file bytes.Buffer
	if err := backup.Write(t.Context(), j.DataDir, &file, backup.Options{Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	s3 := s3server.Shared(t)
	c := server.DefaultConfig(filepath.Join(t.TempDir(), "cluster"))
	c.Database, c.Blobs = postgres.Database(t), s3.URL(s3.Bucket(t), "jeton")
	restored, err := server.RestoreToCluster(t.Context(), c, &file)
	if err != nil {
		t.Fatal(err)
	}
	if restored.Archives != 1 || restored.Artifacts != 1 {
		t.Errorf("got %+v, want one archive and one artifact", restored)
	}
	return jetontest.StartOver(t, c.DataDir, j.Credentials(), func(config *server.Config) {
		config.Database, config.Blobs, config.Node = c.Database, c.Blobs, "node1"
		config.CacheDir = filepath.Join(t.TempDir(), "cache")
	})
}

// callFirst calls the function of nodeArchive.
func callFirst(t *testing.T, gateway, host, token string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, gateway, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	request.Header.Set("X-Auth-Token", token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || string(body) != "first" {
		t.Errorf("a call with the token: %d %s, %v, want 200", response.StatusCode, body, err)
	}
}
