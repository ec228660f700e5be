package runtime_test

import (
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

// The outputs are those of real programs.
func TestCause_FindsTheReason(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ language, output, want string }{
		"Go: panic in init": {
			runtime.Go, "panic: DB_URL is required\n\ngoroutine 1 [running]:\nhandler.init.0()\n\t/src/handler.go:9 +0x2c\n" +
				"runtime.doInit1(0x7f0)\n\t/usr/local/go/src/runtime/proc.go:7410 +0xdb\nruntime.main()\n\t/x.go:1\nexit status 2\n",
			"panic: DB_URL is required",
		},
		"Go: panic with an error": {
			runtime.Go, "2026/01/01 connecting\npanic: dial tcp: lookup db: no such host [recovered, repanicked]\n\tpanic: again\n\ngoroutine 7 [running]:\nmain.main()\n",
			"panic: dial tcp: lookup db: no such host",
		},
		"Go: fatal error": {
			runtime.Go, "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\nmain.init.0()\n\t/src/handler.go:9 +0x2c\n",
			"fatal error: all goroutines are asleep - deadlock!",
		},
		"Go: log.Fatal": {runtime.Go, "2026/01/01 00:00:00 no DB_URL\n", "2026/01/01 00:00:00 no DB_URL"},
		"Rust: panic": {
			runtime.Rust, "\nthread 'main' (4242) panicked at src/handler.rs:12:9:\nDB_URL is required\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
			"panic: DB_URL is required",
		},
		"Rust: backtrace": {
			runtime.Rust, "thread 'main' panicked at src/handler.rs:12:9:\nDB_URL is required\nstack backtrace:\n   0: rust_begin_unwind\n             at /rustc/x/panicking.rs:5\nnote: Some details are omitted\n",
			"panic: DB_URL is required",
		},
		"Rust: older": {
			runtime.Rust, "thread 'main' panicked at 'DB_URL is required', src/handler.rs:12:9\nnote: run with `RUST_BACKTRACE=1`\n", "panic: DB_URL is required",
		},
		"Rust: error of main": {runtime.Rust, "Address already in use (os error 98)\n", "Address already in use (os error 98)"},
		"Node: uncaught later": {
			runtime.Node, "/home/app/function/handler.js:3\nthrow new TypeError(\"first\\nsecond\");\n^\n\nTypeError: first\nsecond\n    at Timeout._onTimeout (/home/app/function/handler.js:3:9)\n" +
				"    at listOnTimeout (node:internal/timers:605:17) {\n  code: 'X'\n}\n\nNode.js v24.1.0\n",
			"TypeError: first",
		},
		"Python: a message of several lines": {
			runtime.Python, "Traceback (most recent call last):\n  File \"/a.py\", line 1, in <module>\n    raise ValueError(\"first\\nsecond\")\nValueError: first\nsecond\n", "ValueError: first",
		},
		"Python: an error in handling another": {
			runtime.Python, "Traceback (most recent call last):\n  File \"/a.py\", line 2, in <module>\n    {}['a']\n    ~~^^^^^\nKeyError: 'a'\n\n" +
				"During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"/a.py\", line 4, in <module>\n    raise Missing()\nhandler.Missing: no a\n",
			"handler.Missing: no a",
		},
		"Python: exit with a message": {runtime.Python, "starting\nDB_URL is required\n", "DB_URL is required"},
		"PHP: fatal error": {
			runtime.PHP, "PHP Fatal error:  Uncaught Error: Class \"Db\" not found in /a.php:2\nStack trace:\n#0 {main}\n  thrown in /a.php on line 2\n",
			"Fatal error:  Uncaught Error: Class \"Db\" not found in /a.php:2",
		},
		"another language": {"COBOL", "one\n\ntwo\n", "two"},
		"nothing":          {runtime.Go, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cause := runtime.NewCause(test.language)
			for line := range strings.Lines(test.output) {
				cause.Add(strings.TrimSuffix(line, "\n"))
			}
			if got := cause.String(); got != test.want {
				t.Errorf("got cause %q, want %q", got, test.want)
			}
		})
	}
}
