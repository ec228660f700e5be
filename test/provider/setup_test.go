package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/provider/front"
)

// world is a server, a recording proxy in front of it, and the options of a provider
// that calls the proxy.
type world struct {
	*jetontest.Jeton
	front   *front.Front
	api     *function.API
	options provider.Options
}

func start(t *testing.T, options ...jetontest.Option) *world {
	t.Helper()
	j := jetontest.Start(t, options...)
	return &world{
		Jeton:   j,
		front:   front.Start(t, j.APIURL),
		api:     function.NewAPI(j.Client()),
		options: provider.Options{Version: "test"},
	}
}

// run runs the steps with Terraform, and destroys everything after the last one.
func (w *world) run(t *testing.T, steps ...resource.TestStep) {
	t.Helper()
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"scaleway": func() (tfprotov6.ProviderServer, error) { return provider.NewServer(w.options)(), nil },
		},
		Steps: steps,
	})
}

// config returns a configuration with a provider block.
func (w *world) config(body string, arguments ...any) string {
	return fmt.Sprintf(`provider "scaleway" {
  api_url    = %q
  access_key = %q
  secret_key = %q
  project_id = %q
}
`, w.front.URL, w.AccessKey, w.SecretKey, w.ProjectID) + fmt.Sprintf(body, arguments...)
}

const namespace = `
resource "scaleway_function_namespace" "main" {
  name = "tests"
}
`

// nodeFunction returns the configuration of a namespace and of a function of it with
// more arguments.
func nodeFunction(arguments string) string {
	return namespace + `
resource "scaleway_function" "main" {
  namespace_id = scaleway_function_namespace.main.id
  name         = "main"
  runtime      = "node22"
  handler      = "handler.handle"
  privacy      = "private"
` + arguments + `
}
`
}

// writeArchive writes a zip archive of one file and returns its path.
func writeArchive(t *testing.T, file, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "function.zip")
	archive, err := deploy.Archive(map[string]string{file: content})
	if err == nil {
		err = os.WriteFile(path, archive, 0o600)
	}
	if err != nil {
		t.Fatalf("write an archive: %v", err)
	}
	return path
}

// nodeArchive writes the archive of a function that answers with a text, and returns
// its path.
func nodeArchive(t *testing.T) string {
	t.Helper()
	return writeArchive(t, "handler.js", "module.exports.handle = () => ({ statusCode: 200, body: \"first\" });\n")
}

// expectRequests fails unless the proxy got want requests of the method and the path.
func (w *world) expectRequests(t *testing.T, want int, method, path string) []front.Request {
	t.Helper()
	requests := w.front.Requests(method, path)
	if len(requests) != want {
		t.Errorf("got %d requests %s %s, want %d", len(requests), method, path, want)
	}
	return requests
}
