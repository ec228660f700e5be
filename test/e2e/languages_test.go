package e2e_test

import (
	"io/fs"
	"net/http"
	"path/filepath"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/crates"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// The names of runtimes and handlers include old ones.
func TestLanguages_DeployAndCall(t *testing.T) {
	t.Parallel()
	folder := must[string](t)(filepath.Abs(filepath.Join("..", "crates", "registry")))
	cache := filepath.Join(t.TempDir(), "cache")
	w := newWorld(t, func(c *server.Config) {
		c.WarmPool = process.DefaultWarmPool
		c.CacheDir = cache
		if jetontest.InPods() {
			c.Crates = crates.Serve(t, folder, jetontest.HostAddress(t)).URL
		} else {
			c.Crates, c.ShareRustBuilds = folder, true
		}
	})
	n := w.namespace("languages")
	tests := map[string]struct {
		runtime, handler string
		files            map[string]string
	}{
		"go": {"go118", "sub/Handle", map[string]string{
			"sub/go.mod": goMod, "sub/f.go": "package f\n\nimport \"net/http\"\n\n" +
				"func Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte(\"hello \" + r.URL.Path)) }\n",
		}},
		"node": {"node16", "src/index.main", map[string]string{
			"src/index.js": "exports.main = async (event) => ({ body: 'hello ' + event.path });\n",
		}},
		"python": {"python3", "", map[string]string{
			"handler.py": "def handle(event, context): return {'body': 'hello ' + event['path']}\n",
		}},
		"php": {"php82", "app/index.main", map[string]string{
			"app/index.php": "<?php function main($event, $context) { return ['body' => 'hello ' . $event['path']]; }\n",
		}},
		"rust": {"rust165", "", map[string]string{
			"Cargo.toml": "[package]\nname = \"f\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\npath = \"src/handler.rs\"\n[dependencies]\naxum = \"0.8\"\nhttp = \"1\"\n",
			"src/handler.rs": "use axum::{body::Body, extract::Request};\nuse http::Response;\n\n" +
				"pub async fn handle(req: Request<Body>) -> Response<Body> {\n" +
				"    Response::new(Body::from(format!(\"hello {}\", req.uri().path())))\n}\n",
			// Code that runs in a build tries to change the cache of the project.
			"build.rs": "fn main() {\n    let home = std::env::var(\"CARGO_HOME\").unwrap();\n    let _ = std::fs::write(home + \"/planted\", \"\");\n}\n",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request := &function.CreateFunctionRequest{
				NamespaceID: n.ID, Name: name, Runtime: function.FunctionRuntime(test.runtime), Privacy: function.FunctionPrivacyPublic,
			}
			if test.handler != "" {
				request.Handler = &test.handler
			}
			f := must[*function.Function](t)(w.CreateFunction(request))
			f = w.deploy(f.ID, zipOf(t, test.files))
			if f.Status != function.FunctionStatusReady {
				t.Fatalf("got status %s: %v", f.Status, *f.ErrorMessage)
			}
			if status, body := w.call(f, "/there", ""); status != http.StatusOK || body != "hello /there" {
				t.Errorf("a call: got %d %q", status, body)
			}
		})
	}
	if !jetontest.InPods() {
		return // Without isolation, a build can write everywhere.
	}
	if err := filepath.WalkDir(cache, func(path string, _ fs.DirEntry, err error) error {
		if filepath.Base(path) == "planted" {
			t.Errorf("code that ran in a build has written %s", path)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
