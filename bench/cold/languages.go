package cold

// A Language is a programming language with a function that answers harness.Hello.
type Language struct {
	Name, Runtime, Handler string
	// Goal is the goal with a warm worker, and SandboxGoal the goal with a warm
	// sandbox only. A language without workers has no SandboxGoal.
	Goal, SandboxGoal string
	// Files are the code, as path and content.
	Files map[string]string
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

// Languages are Node, Python, PHP, Go and Rust, in this order.
var Languages = []Language{
	{"node", "node24", "handler.handle", "<= 0.2", "<= 1.3", map[string]string{
		"handler.js": "exports.handle = () => ({ statusCode: 200, body: 'hello' });\n",
	}},
	{"python", "python314", "handler.handle", "<= 0.2", "<= 1.3", map[string]string{
		"handler.py": "def handle(event, context):\n    return {'statusCode': 200, 'body': 'hello'}\n",
	}},
	{"php", "php85", "handler.handle", "<= 0.2", "<= 1.3", map[string]string{
		"handler.php": "<?php\nfunction handle($event, $context) {\n    return ['statusCode' => 200, 'body' => 'hello'];\n}\n",
	}},
	{"go", "go126", "Handle", "<= 1.3", "", map[string]string{
		"go.mod":     "module hello\n\ngo 1.21\n",
		"handler.go": "package hello\n\nimport \"net/http\"\n\nfunc Handle(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(\"hello\")) }\n",
	}},
	{"rust", "rust196", "handle", "<= 1.3", "", map[string]string{
		"Cargo.toml":     manifest,
		"src/handler.rs": "use axum::body::Body;\nuse axum::extract::Request;\nuse http::Response;\n\npub async fn handle(_: Request<Body>) -> Response<Body> {\n    Response::new(Body::from(\"hello\"))\n}\n",
	}},
}
