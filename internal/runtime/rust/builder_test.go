package rust_test

import (
	"bufio"
	"io"
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

// folder is where `make test/crates/registry` puts crates, and where these tests
// keep what they have compiled of them.
var folder = filepath.Join("..", "..", "..", "test", "crates")

func within(tb testing.TB, name string) string {
	tb.Helper()
	dir, err := filepath.Abs(filepath.Join(folder, name))
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

// crates returns the folder with axum and all that it needs.
func crates(tb testing.TB) string {
	tb.Helper()
	dir := within(tb, "registry")
	if found, _ := filepath.Glob(filepath.Join(dir, "axum-0.8*")); len(found) == 0 {
		tb.Fatalf("there is no axum in %s: get it with: make test/crates/registry", dir)
	}
	return dir
}

// builder returns one that takes crates from the folder in place of crates.io, as
// an operator would configure a mirror, and keeps what was compiled: these tests
// trust each other.
func builder(tb testing.TB) runtime.Builder {
	tb.Helper()
	config := filepath.Join(tb.TempDir(), "config.toml")
	text := "[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\ndirectory = \"" + crates(tb) + "\"\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return rust.New(rust.Config{
		Home: tb.TempDir(), CargoConfig: config, SharedTarget: within(tb, "target"), Timeout: 5 * time.Minute,
	}, runtimetest.Toolchains(tb))
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
        "/block" => {
            // Only where there are threads may a task block one.
            let text = std::thread::spawn(|| "blocked").join().unwrap();
            Response::new(Body::from(text))
        }
        "/environment" => Response::new(Body::from(std::env::var("VARIABLE").unwrap_or_default())),
        "/stream" => {
            // The second half waits for the end of the request's body.
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

func TestFunction(t *testing.T) {
	t.Parallel()
	built := runtimetest.Build(t, builder(t), runtime.Rust, "handle", source())
	t.Run("calls", func(t *testing.T) { testCalls(t, built) })
	t.Run("streaming", func(t *testing.T) { testStreaming(t, built) })
	t.Run("termination", func(t *testing.T) { testTermination(t, built) })
}

func testCalls(t *testing.T, built runtimetest.Built) {
	in := runtimetest.Start(t, built, "VARIABLE=a=b é")
	bytes := strings.Repeat("\xff\x00six", 6<<20/5)
	tests := map[string]struct {
		call runtimetest.Call
		want runtimetest.Answer
	}{
		"bytes, repeated headers": {
			call: runtimetest.Call{
				Method: http.MethodPut, Target: "/echo?x=1", Body: "a\xffb", Header: http.Header{"X-Many": {"a", "b"}},
			},
			want: runtimetest.Answer{
				Status: http.StatusCreated, Body: "a\xffb", Header: http.Header{"X-Many": {"a", "b"}, "X-Method": {"PUT"}},
			},
		},
		"6 MiB":           {call: runtimetest.Call{Target: "/echo", Body: bytes}, want: runtimetest.Answer{Status: http.StatusCreated, Body: bytes}},
		"6 MiB in chunks": {call: runtimetest.Call{Target: "/echo", Body: bytes, Chunked: true}, want: runtimetest.Answer{Status: http.StatusCreated, Body: bytes}},
		"a thread":        {call: runtimetest.Call{Target: "/block"}, want: runtimetest.Answer{Status: http.StatusOK, Body: "blocked"}},
		"the environment": {call: runtimetest.Call{Target: "/environment"}, want: runtimetest.Answer{Status: http.StatusOK, Body: "a=b é"}},
		"a panic":         {call: runtimetest.Call{Target: "/panic"}, want: runtimetest.Answer{Status: http.StatusInternalServerError, Body: "An error occured during handler execution: it failed\n"}},
		"hundreds of headers": {
			call: runtimetest.Call{Target: "/echo", Header: http.Header{"X-Many": make([]string, 500)}},
			want: runtimetest.Answer{Status: http.StatusCreated, Header: http.Header{"X-Many": make([]string, 500)}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := in.Do(t, test.call)
			if got.Status != test.want.Status || got.Body != test.want.Body {
				t.Errorf("answer is %d %.200q, want %d %.200q", got.Status, got.Body, test.want.Status, test.want.Body)
			}
			for key, want := range test.want.Header {
				if len(got.Header[key]) != len(want) || strings.Join(got.Header[key], ",") != strings.Join(want, ",") {
					t.Errorf("header %s is %.200q, want %.200q", key, got.Header[key], want)
				}
			}
		})
	}
	if dials := in.Dials(); dials != 1 {
		t.Errorf("the calls took %d connections, want 1", dials)
	}
}

// testStreaming reads the first part of an answer while the request's body has
// not been sent to its end.
func testStreaming(t *testing.T, built runtimetest.Built) {
	in := runtimetest.Start(t, built)
	body, rest := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://instance/stream", body)
	if err != nil {
		t.Fatal(err)
	}
	response, err := in.Client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer := bufio.NewReader(response.Body)
	if line, err := answer.ReadString('\n'); err != nil || line != "first\n" {
		t.Fatalf("the answer begins with %q, %v", line, err)
	}
	if _, err := io.WriteString(rest, "second"); err != nil {
		t.Fatal(err)
	}
	_ = rest.Close()
	if text, err := io.ReadAll(answer); err != nil || string(text) != "second" {
		t.Errorf("the answer goes on with %q, %v", text, err)
	}
}

func testTermination(t *testing.T, built runtimetest.Built) {
	in := runtimetest.Start(t, built)
	if got := in.Do(t, runtimetest.Call{}); got.Body != "hello from Rust" {
		t.Errorf("answer is %+v", got)
	}
	runtimetest.TestTerminationAt(t, runtimetest.Way{}, built, "/slow")
}

// TestVendored builds with crates that are in the archive, and in a folder of it.
func TestVendored(t *testing.T) {
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
	b := rust.New(rust.Config{Home: t.TempDir(), SharedTarget: within(t, "target")}, runtimetest.Toolchains(t))
	built := runtimetest.Build(t, b, runtime.Rust, "functions/other", files)
	if got := runtimetest.Start(t, built).Do(t, runtimetest.Call{}); got.Status != http.StatusAccepted || got.Body != "the other one" {
		t.Errorf("answer is %d %q", got.Status, got.Body)
	}
}

func TestBuildFailures(t *testing.T) {
	t.Parallel()
	b := builder(t)
	tests := map[string]struct {
		handler string
		files   map[string]string
		want    []string
	}{
		"no manifest": {files: map[string]string{"src/handler.rs": handler}, want: []string{"there is no Cargo.toml", "cargo init --lib"}},
		"a bad manifest": {
			files: map[string]string{"Cargo.toml": "[package", "src/handler.rs": ""}, want: []string{"Cargo.toml cannot be read", "Cargo.toml:1"},
		},
		"no library": {
			files: map[string]string{"Cargo.toml": "[package]\nname = \"hello\"\nversion = \"0.1.0\"\n", "src/main.rs": "fn main() {}"},
			want:  []string{"the crate hello has no library", `path = "src/handler.rs"`},
		},
		"a missing crate": {
			files: map[string]string{"Cargo.toml": manifest + "no-such-crate = \"1\"\n", "src/handler.rs": handler},
			want:  []string{"the build failed", "no-such-crate"},
		},
		"a syntax error": {
			files: map[string]string{"Cargo.toml": manifest, "src/handler.rs": "pub async fn handle( {"},
			want:  []string{"the build failed", "src/handler.rs:1"},
		},
		"no such function": {handler: "missing", files: source(), want: []string{"no public function missing"}},
		"another type":     {handler: "wrong", files: source(), want: []string{"wrong must be: pub async fn wrong(req"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.handler == "" {
				test.handler = "handle"
			}
			message := runtimetest.BuildFails(t, b, runtime.Rust, test.handler, test.files)
			for _, want := range test.want {
				if !strings.Contains(message, want) {
					t.Errorf("message is %q, want it to have %q", message, want)
				}
			}
		})
	}
}
