package main

import "fmt"

// goal is the goal of languages without a compiler.
const goal = "< 1000 ms"

// A language has a function and a plain server that return the same text.
type language struct {
	name, runtime, handler string
	// files are those of the function that stay the same, and code is the file that is edited:
	// VERSION in it is the response.
	files, code map[string]string
	// plainFiles and plain are the same of the plain server, and command returns its command line.
	// restart means that it must be started again after an edit.
	plainFiles, plain map[string]string
	command           func(tool string, port int) []string
	restart           bool
	rounds            int
	goal, note        string
}

const nodeServer = `const http = require('http');
const { handle } = require('./handler.js');
http.createServer((request, response) => response.end(handle())).listen(process.env.PORT, '127.0.0.1');
`

const pythonServer = `import http.server, os
from handler import handle

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(handle({}, None).encode())

    def log_message(self, *arguments):
        pass

http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
`

// pythonReloader starts the server again when the file changes, like the reloaders of Flask and
// Django, which check once per second.
const pythonReloader = `import os, subprocess, sys, time

while True:
    before = os.stat('handler.py').st_mtime_ns
    server = subprocess.Popen([sys.executable, 'server.py'])
    while os.stat('handler.py').st_mtime_ns == before:
        time.sleep(0.05)
    server.kill()
    server.wait()
`

const goServer = `package main

import (
	"net/http"
	"os"
)

func main() { _ = http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(Handle)) }
`

func goHandler(name string) string {
	return "package " + name + "\n\nimport \"net/http\"\n\nfunc Handle(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(\"VERSION\")) }\n"
}

const rustManifest = `[package]
name = "hello"
version = "0.1.0"
edition = "2021"
`

const rustLibrary = `[lib]
path = "src/handler.rs"
[dependencies]
axum = "0.8"
http = "1"
`

const rustHandler = `use axum::body::Body;
use axum::extract::Request;
use http::Response;

pub async fn handle(_: Request<Body>) -> Response<Body> {
    Response::new(Body::from("VERSION"))
}
`

// rustServer needs no crates.
const rustServer = `mod handler;
use std::io::{Read, Write};

fn main() {
    let address = format!("127.0.0.1:{}", std::env::var("PORT").unwrap());
    for stream in std::net::TcpListener::bind(address).unwrap().incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let body = handler::handle();
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}", body.len(), body);
    }
}
`

// languages are Node, Python, PHP, Go and Rust.
var languages = []language{
	{
		name: "node", runtime: "node24", handler: "handler.handle", rounds: 7, goal: goal, note: "node --watch",
		code:       map[string]string{"handler.js": "exports.handle = () => 'VERSION';\n"},
		plainFiles: map[string]string{"server.js": nodeServer}, plain: map[string]string{"handler.js": "exports.handle = () => 'VERSION';\n"},
		command: func(tool string, _ int) []string { return []string{tool, "--watch", "server.js"} },
	},
	{
		name: "python", runtime: "python314", handler: "handler.handle", rounds: 7, goal: goal, note: "a restart of http.server after a check each 50 ms",
		code:       map[string]string{"handler.py": "def handle(event, context):\n    return 'VERSION'\n"},
		plainFiles: map[string]string{"server.py": pythonServer, "reload.py": pythonReloader},
		plain:      map[string]string{"handler.py": "def handle(event, context):\n    return 'VERSION'\n"},
		command:    func(tool string, _ int) []string { return []string{tool, "reload.py"} },
	},
	{
		name: "php", runtime: "php85", handler: "handler.handle", rounds: 7, goal: goal, note: "php -S, which reads the file for each call",
		code:  map[string]string{"handler.php": "<?php\nfunction handle($event, $context) {\n  return 'VERSION';\n}\n"},
		plain: map[string]string{"index.php": "<?php\nfunction handle($event, $context) {\n  return 'VERSION';\n}\necho handle([], null);\n"},
		command: func(tool string, port int) []string {
			return []string{tool, "-S", fmt.Sprintf("127.0.0.1:%d", port), "index.php"}
		},
	},
	{
		name: "go", runtime: "go126", handler: "Handle", rounds: 5, note: "a restart of go run at once",
		files: map[string]string{"go.mod": "module hello\n\ngo 1.21\n"}, code: map[string]string{"handler.go": goHandler("hello")},
		plainFiles: map[string]string{"go.mod": "module hello\n\ngo 1.21\n", "main.go": goServer}, plain: map[string]string{"handler.go": goHandler("main")},
		command: func(tool string, _ int) []string { return []string{tool, "run", "."} }, restart: true,
	},
	{
		name: "rust", runtime: "rust196", handler: "handle", rounds: 5, note: "a restart of cargo run at once, of a server without crates; with --share-rust-builds",
		files: map[string]string{"Cargo.toml": rustManifest + rustLibrary}, code: map[string]string{"src/handler.rs": rustHandler},
		plainFiles: map[string]string{"Cargo.toml": rustManifest, "src/main.rs": rustServer},
		plain:      map[string]string{"src/handler.rs": "pub fn handle() -> &'static str {\n    \"VERSION\"\n}\n"},
		command:    func(tool string, _ int) []string { return []string{tool, "run", "--quiet", "--offline"} }, restart: true,
	},
}
