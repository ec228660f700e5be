package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
	"github.com/jeton-dev/jeton/internal/sandbox"
)

// toolchainTimeout is the time in which a toolchain must print its version.
const toolchainTimeout = 20 * time.Second

// A Toolchain is the program of this machine that builds or runs a language.
type Toolchain struct {
	// Path is the absolute path of the program itself, not of a version manager's shim,
	// which does not work in the empty environment of an instance.
	Path string
	// Isolation runs the program in a sandbox when it builds; nil means without one.
	Isolation *tool.Isolation
	// Offline is why builds cannot download anything; empty if they can.
	Offline string
	// Version has no prefix, such as "1.26.8".
	Version string
	// Settings is a folder outside of the installation that the program reads when it
	// starts; empty for none.
	Settings string
}

// A known toolchain describes how to find the program of a language.
type known struct {
	language string
	program  string
	// query has the arguments of one or more runs in which the program prints a line
	// with its real path and a line with its version. Optional lines are the folder of
	// its settings, and what it lacks.
	query [][]string
	// companion is the program to use, in the folder bin below the real path; empty for
	// the program itself.
	companion string
	// title precedes the version in texts for users.
	title string
	// minimum is the oldest version that can run the results of builds.
	minimum string
	install string
}

var knownToolchains = []known{
	{
		language: Go, program: "go", title: "go ", minimum: "1.21",
		query: [][]string{{"env", "GOROOT", "GOVERSION"}}, companion: "go", install: "install Go 1.21 or later (https://go.dev/dl)",
	},
	{
		language: Node, program: "node", title: "node v", minimum: "18.19",
		query:   [][]string{{"-p", `process.execPath + "\n" + process.version`}},
		install: "install Node.js 18.19 or later (https://nodejs.org)",
	},
	{
		language: Python, program: "python3", title: "python ", minimum: "3.8",
		query:   [][]string{{"-c", "import sys, platform\nprint(sys.executable)\nprint(platform.python_version())"}},
		install: "install Python 3.8 or later (https://python.org)",
	},
	{
		language: PHP, program: "php", title: "php ", minimum: "8.1",
		query: [][]string{{"-r", `echo PHP_BINARY, "\n", PHP_VERSION, "\n", preg_replace("#/cli$#", "", PHP_CONFIG_FILE_PATH), "\n";
			foreach (["sockets", "pcntl"] as $e) if (!extension_loaded($e)) { echo "the extension $e\n"; break; }`}},
		install: "install PHP 8.1 or later with its extensions sockets and pcntl (https://php.net, or apt-get install php-cli)",
	},
	{
		language: Rust, program: "rustc", title: "rust ", minimum: "1.80", companion: "cargo",
		query:   [][]string{{"--print", "sysroot"}, {"--version"}},
		install: "install Rust 1.80 or later, with cargo (https://rustup.rs)",
	},
}

// Toolchains has the toolchains of this machine. It is safe for concurrent use after
// Isolate was called.
type Toolchains struct {
	found map[string]Toolchain
	// missing has the reason for each language without a toolchain.
	missing map[string]error
}

// FindToolchains looks for the toolchain of each language: at the path given for the
// language, or else in the PATH of this process. A missing one is an error only when it
// is used.
func FindToolchains(ctx context.Context, paths map[string]string) *Toolchains {
	t := &Toolchains{found: map[string]Toolchain{}, missing: map[string]error{}}
	for _, k := range knownToolchains {
		program := k.program
		if p := paths[k.language]; p != "" {
			program = p
		}
		toolchain, err := k.find(ctx, program)
		if err != nil {
			t.missing[k.language] = fmt.Errorf("this server cannot serve %s: %w; %s", k.language, err, k.install)
			continue
		}
		t.found[k.language] = toolchain
	}
	return t
}

func (k known) find(ctx context.Context, program string) (Toolchain, error) {
	file, err := exec.LookPath(program)
	if err != nil {
		return Toolchain{}, fmt.Errorf("%s was not found", program)
	}
	var output strings.Builder
	for _, arguments := range k.query {
		printed, err := query(ctx, file, arguments)
		if err != nil {
			return Toolchain{}, fmt.Errorf("%s did not print its version: %w", file, err)
		}
		output.Write(printed)
	}
	lines := strings.Split(strings.TrimSpace(output.String()), "\n")
	if len(lines) < 2 || !filepath.IsAbs(lines[0]) {
		return Toolchain{}, fmt.Errorf("%s did not print its version", file)
	}
	if len(lines) > 3 {
		return Toolchain{}, fmt.Errorf("%s lacks %s", lines[0], lines[3])
	}
	t := Toolchain{Path: lines[0], Version: plainVersion(lines[1])}
	if len(lines) > 2 && filepath.IsAbs(lines[2]) {
		t.Settings = lines[2]
	}
	if k.companion != "" {
		t.Path = filepath.Join(lines[0], "bin", k.companion)
		if _, err := exec.LookPath(t.Path); err != nil {
			return Toolchain{}, fmt.Errorf("%s has no %s in its folder bin", file, k.companion)
		}
	}
	// A version that is not a release, such as devel, is accepted.
	if v := "v" + t.Version; semver.IsValid(v) && semver.Compare(v, "v"+k.minimum) < 0 {
		return Toolchain{}, fmt.Errorf("%s has version %s, which is too old", t.Path, t.Version)
	}
	return t, nil
}

func query(ctx context.Context, file string, arguments []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, toolchainTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, file, arguments...)
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local")
	cmd.WaitDelay = time.Second
	return cmd.Output()
}

// plainVersion returns the version within the output of a program, such as "go1.26.8",
// "v20.20.2" or "rustc 1.95.0 (59807616e 2026-04-14)".
func plainVersion(printed string) string {
	printed, _, _ = strings.Cut(strings.TrimPrefix(printed, "rustc "), " ")
	return strings.TrimPrefix(strings.TrimPrefix(printed, "go"), "v")
}

// For returns the toolchain of a language, or an error that says what to install.
func (t *Toolchains) For(language string) (Toolchain, error) {
	if toolchain, ok := t.found[language]; ok {
		return toolchain, nil
	}
	if err := t.missing[language]; err != nil {
		return Toolchain{}, err
	}
	return Toolchain{}, unsupported(language)
}

// A Found language has a Toolchain, or an error.
type Found struct {
	Language  string
	Toolchain Toolchain
	// Missing says why there is no toolchain and what to install; nil if there is one.
	Missing error
	// Runtimes has the names of the runtimes of the language.
	Runtimes []string
}

// List returns all languages, in the order of the catalogue.
func (t *Toolchains) List() []Found {
	var list []Found
	for _, r := range All() {
		i := slices.IndexFunc(list, func(f Found) bool { return f.Language == r.Language })
		if i < 0 {
			i = len(list)
			toolchain, err := t.For(r.Language)
			list = append(list, Found{Language: r.Language, Toolchain: toolchain, Missing: err})
		}
		list[i].Runtimes = append(list[i].Runtimes, r.Name)
	}
	return list
}

// Serving returns the name and version of the toolchain of a language, such as
// "node v20.20.2", or "" if there is none.
func (t *Toolchains) Serving(language string) string {
	toolchain, err := t.For(language)
	if err != nil {
		return ""
	}
	for _, k := range knownToolchains {
		if k.language == language {
			return k.title + toolchain.Version
		}
	}
	return ""
}

func unsupported(language string) error {
	return errors.New("this version of Jeton does not build " + language + " functions")
}

// Isolate makes all toolchains build in sandboxes of the host; nil means without
// sandboxes. Steps that download may reach what the policy permits; nil permits nothing.
func (t *Toolchains) Isolate(host *sandbox.Host, policy *egress.Policy) {
	offline := ""
	switch {
	case policy == nil:
		offline = "builds have no network (--egress=none)"
	case host != nil && host.Connects() != nil:
		offline = "builds have no network: " + host.Connects().Error()
	}
	var isolation *tool.Isolation
	if host != nil {
		isolation = &tool.Isolation{Host: host, Egress: policy}
		for _, toolchain := range t.found {
			isolation.Visible = append(isolation.Visible, toolchain.Installation())
			if toolchain.Settings != "" {
				isolation.Visible = append(isolation.Visible, toolchain.Settings)
			}
		}
	}
	for language, toolchain := range t.found {
		toolchain.Isolation, toolchain.Offline = isolation, offline
		t.found[language] = toolchain
	}
}

// Installation returns the folder with the toolchain and its libraries: the parent of its
// folder bin. If that folder may contain other files, as a home folder does,
// Installation returns the path of the program.
func (t Toolchain) Installation() string {
	bin := filepath.Dir(t.Path)
	prefix := filepath.Dir(bin)
	if filepath.Base(bin) != "bin" || strings.Count(prefix, "/") < 2 {
		return t.Path
	}
	if home, err := os.UserHomeDir(); err == nil && (prefix == home || strings.HasPrefix(home, prefix+"/")) {
		return t.Path
	}
	if info, err := os.Stat(filepath.Join(prefix, "lib")); err != nil || !info.IsDir() {
		return t.Path
	}
	return prefix
}
