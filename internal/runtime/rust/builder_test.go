package rust_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
	"github.com/jeton-dev/jeton/internal/runtime/rust"
)

// folder is where "make test/crates/registry" puts crates, and where these tests cache
// compiled ones.
var folder = filepath.Join("..", "..", "..", "test", "crates")

func within(tb testing.TB, name string) string {
	tb.Helper()
	dir, err := filepath.Abs(filepath.Join(folder, name))
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

// crates returns the folder with axum and its dependencies.
func crates(tb testing.TB) string {
	tb.Helper()
	dir := within(tb, "registry")
	if found, _ := filepath.Glob(filepath.Join(dir, "axum-0.8*")); len(found) == 0 {
		tb.Fatalf("there is no axum in %s: get it with: make test/crates/registry", dir)
	}
	return dir
}

// builder returns a builder that takes crates from the folder instead of crates.io, as an
// operator would configure a mirror, and shares compiled crates.
func builder(tb testing.TB) runtime.Builder {
	tb.Helper()
	b := rust.New(rust.Config{Crates: crates(tb), Share: true, Timeout: 5 * time.Minute}, runtimetest.Toolchains(tb))
	return runtimetest.InCache(b, within(tb, "cache"))
}

const manifest = `[package]
name = "hello"
version = "0.1.0"
edition = "2021"
[lib]
path = "src/handler.rs"
[dependencies]
axum = "0.8"
http = "1"
`

const handler = `
use axum::body::{Body, Bytes};
use axum::extract::Request;
use http::{Response, StatusCode};

pub async fn handle(req: Request<Body>) -> Response<Body> {
    match req.uri().path() {
        "/echo" => {
            let (head, body) = req.into_parts();
            let bytes = axum::body::to_bytes(body, 16 << 20).await.unwrap();
            let mut answer = Response::builder().status(StatusCode::CREATED);
            for value in head.headers.get_all("x-many") {
                answer = answer.header("X-Many", value);
            }
            answer.header("X-Method", head.method.as_str()).body(Body::from(bytes)).unwrap()
        }
        "/panic" => panic!("it {}", "failed"),
        "/environment" => Response::new(Body::from(std::env::var("VARIABLE").unwrap_or_default())),
        "/stream" => {
            // The rest of the response is the body of the request.
            let body = req.into_body();
            Response::new(Body::new(Halves { first: true, rest: body }))
        }
        "/slow" => {
            println!("begun");
            std::thread::sleep(std::time::Duration::from_millis(300));
            Response::new(Body::from("finished"))
        }
        _ => Response::new(Body::from("hello from Rust")),
    }
}

pub async fn other(_: Request<Body>) -> (StatusCode, &'static str) {
    (StatusCode::ACCEPTED, "the other one")
}

pub fn wrong(_: i32) {}

struct Halves { first: bool, rest: Body }

impl http_body::Body for Halves {
    type Data = Bytes;
    type Error = axum::Error;
    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        if std::mem::take(&mut self.first) {
            return std::task::Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from("first\n")))));
        }
        std::pin::Pin::new(&mut self.rest).poll_frame(context)
    }
}
`

func source() map[string]string {
	return map[string]string{"Cargo.toml": manifest + "http-body = \"1\"\n", "src/handler.rs": handler}
}

func TestFunction_ServesCalls(t *testing.T) {
	t.Parallel()
	runtimetest.TestPlain(t, runtimetest.Build(t, builder(t), runtime.Rust, "handle", source()))
}

func TestBuild_UsesVendoredCrates(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for name, text := range source() {
		files["functions/"+name] = text
	}
	registry := crates(t)
	err := filepath.WalkDir(registry, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(registry, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		files["functions/vendor/"+filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b := runtimetest.InCache(rust.New(rust.Config{Share: true}, runtimetest.Toolchains(t)), within(t, "vendored-cache"))
	built := runtimetest.Build(t, b, runtime.Rust, "functions/other", files)
	if got := runtimetest.Start(t, built).Do(t, runtimetest.Call{}); got.Status != http.StatusAccepted || got.Body != "the other one" {
		t.Errorf("got %d %q, want 202", got.Status, got.Body)
	}
}

func TestBuild_ExplainsErrors(t *testing.T) {
	t.Parallel()
	b := builder(t)
	tests := map[string]struct {
		handler string
		files   map[string]string
		want    []string
	}{
		"no manifest": {files: map[string]string{"src/handler.rs": handler}, want: []string{"there is no Cargo.toml", "cargo init --lib"}},
		"invalid manifest": {
			files: map[string]string{"Cargo.toml": "[package", "src/handler.rs": ""}, want: []string{"Cargo.toml cannot be read", "Cargo.toml:1"},
		},
		"no library": {
			files: map[string]string{"Cargo.toml": "[package]\nname = \"hello\"\nversion = \"0.1.0\"\n", "src/main.rs": "fn main() {}"},
			want:  []string{"the crate hello has no library", `path = "src/handler.rs"`},
		},
		"missing crate": {
			files: map[string]string{"Cargo.toml": manifest + "no-such-crate = \"1\"\n", "src/handler.rs": handler},
			want:  []string{"the build failed", "no-such-crate"},
		},
		"syntax error": {
			files: map[string]string{"Cargo.toml": manifest, "src/handler.rs": "pub async fn handle( {"},
			want:  []string{"the build failed", "src/handler.rs:1"},
		},
		"missing function": {handler: "missing", files: source(), want: []string{"no public function missing"}},
		"wrong type":       {handler: "wrong", files: source(), want: []string{"wrong must be: pub async fn wrong(req"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.handler == "" {
				test.handler = "handle"
			}
			message := runtimetest.BuildFails(t, b, runtime.Rust, test.handler, test.files)
			for _, want := range test.want {
				if !strings.Contains(message, want) {
					t.Errorf("got message %q, want %q in it", message, want)
				}
			}
		})
	}
}

func TestBuild_RemovesLargeSharedFolder(t *testing.T) {
	t.Parallel()
	for size, kept := range map[int64]bool{1 << 30: true, 5 << 30: false} {
		cache := t.TempDir()
		large := filepath.Join(cache, "rust-target", "large")
		if err := os.Mkdir(filepath.Dir(large), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(large, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(large, size); err != nil {
			t.Fatal(err)
		}
		b := runtimetest.InCache(rust.New(rust.Config{Share: true}, runtimetest.Toolchains(t)), cache)
		runtimetest.BuildFails(t, b, runtime.Rust, "handle", nil)
		if _, err := os.Stat(large); (err == nil) != kept {
			t.Errorf("file of %d bytes: got %v, want kept %t", size, err, kept)
		}
	}
}
