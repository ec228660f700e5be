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

// toolchainTimeout bounds how long a toolchain may take to name its version.
const toolchainTimeout = 20 * time.Second

// A Toolchain is the program of this machine that serves a language.
type Toolchain struct {
	// Path is absolute, and that of the program itself, not of a version
	// manager's shim, which would not work in an instance's clean environment.
	Path string
	// Walls are put around the program when it builds; nil for none.
	Walls *tool.Walls
	// Offline says why nothing can be downloaded when it builds; empty if it can.
	Offline string
	// Version is plain, such as "1.26.8".
	Version string
	// Settings is the folder of the files that it reads when it starts, where that
	// is none of its own installation; empty for none.
	Settings string
}

// A known toolchain is how one language's program is found and asked.
type known struct {
	language string
	program  string
	// ask are the arguments, of one run or of several, by which the program prints
	// its real path and its version, a line each; then the folder of its settings,
	// and what it lacks, if anything.
	ask [][]string
	// beside is the program that is used, in the folder bin below the real path;
	// empty where that is the program itself.
	beside string
	// title begins the version in a sentence for users.
	title string
	// minimum is the oldest version that what a build makes runs on.
	minimum string
	install string
}

var knownToolchains = []known{
	{
		language: Go, program: "go", title: "go ", minimum: "1.21",
		ask: [][]string{{"env", "GOROOT", "GOVERSION"}}, beside: "go", install: "install Go 1.21 or later (https://go.dev/dl)",
	},
	{
		language: Node, program: "node", title: "node v", minimum: "18.19",
		ask:     [][]string{{"-p", `process.execPath + "\n" + process.version`}},
		install: "install Node.js 18.19 or later (https://nodejs.org)",
	},
	{
		language: Python, program: "python3", title: "python ", minimum: "3.8",
		ask:     [][]string{{"-c", "import sys, platform\nprint(sys.executable)\nprint(platform.python_version())"}},
		install: "install Python 3.8 or later (https://python.org)",
	},
	{
		language: PHP, program: "php", title: "php ", minimum: "8.1",
		ask: [][]string{{"-r", `echo PHP_BINARY, "\n", PHP_VERSION, "\n", preg_replace("#/cli$#", "", PHP_CONFIG_FILE_PATH), "\n";
			foreach (["sockets", "pcntl"] as $e) if (!extension_loaded($e)) { echo "the extension $e\n"; break; }`}},
		install: "install PHP 8.1 or later with its extensions sockets and pcntl (https://php.net, or apt-get install php-cli)",
	},
	{
		language: Rust, program: "rustc", title: "rust ", minimum: "1.80", beside: "cargo",
		ask:     [][]string{{"--print", "sysroot"}, {"--version"}},
		install: "install Rust 1.80 or later, with cargo (https://rustup.rs)",
	},
}

// Toolchains are what FindToolchains found.
type Toolchains struct {
	found map[string]Toolchain
	// missing holds why a language has none.
	missing map[string]error
}

// FindToolchains looks once for the programs that serve the languages: at the
// path given for a language, else in the PATH of this process. What it does not
// find is no error until it is needed.
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
	var told strings.Builder
	for _, question := range k.ask {
		answer, err := ask(ctx, file, question)
		if err != nil {
			return Toolchain{}, fmt.Errorf("%s did not tell its version: %w", file, err)
		}
		told.Write(answer)
	}
	lines := strings.Split(strings.TrimSpace(told.String()), "\n")
	if len(lines) < 2 || !filepath.IsAbs(lines[0]) {
		return Toolchain{}, fmt.Errorf("%s did not tell its version", file)
	}
	if len(lines) > 3 {
		return Toolchain{}, fmt.Errorf("%s lacks %s", lines[0], lines[3])
	}
	t := Toolchain{Path: lines[0], Version: plainVersion(lines[1])}
	if len(lines) > 2 && filepath.IsAbs(lines[2]) {
		t.Settings = lines[2]
	}
	if k.beside != "" {
		t.Path = filepath.Join(lines[0], "bin", k.beside)
		if _, err := exec.LookPath(t.Path); err != nil {
			return Toolchain{}, fmt.Errorf("%s has no %s beside it", file, k.beside)
		}
	}
	// A version that is no release, such as devel, is its owner's own risk.
	if v := "v" + t.Version; semver.IsValid(v) && semver.Compare(v, "v"+k.minimum) < 0 {
		return Toolchain{}, fmt.Errorf("%s has version %s, which is too old", t.Path, t.Version)
	}
	return t, nil
}

func ask(ctx context.Context, file string, question []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, toolchainTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, file, question...)
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local")
	cmd.WaitDelay = time.Second
	return cmd.Output()
}

// plainVersion takes the version out of what a program calls it, such as
// "go1.26.8", "v20.20.2" or "rustc 1.95.0 (59807616e 2026-04-14)".
func plainVersion(told string) string {
	told, _, _ = strings.Cut(strings.TrimPrefix(told, "rustc "), " ")
	return strings.TrimPrefix(strings.TrimPrefix(told, "go"), "v")
}

// For returns the toolchain of a language. Its error says what to install.
func (t *Toolchains) For(language string) (Toolchain, error) {
	if toolchain, ok := t.found[language]; ok {
		return toolchain, nil
	}
	if err := t.missing[language]; err != nil {
		return Toolchain{}, err
	}
	return Toolchain{}, unsupported(language)
}

// A Found language is what FindToolchains knows of it.
type Found struct {
	Language string
	// Toolchain is empty where Missing says why there is none, and what to
	// install.
	Toolchain Toolchain
	Missing   error
	// Runtimes are the names that it serves, or would serve.
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

// Serving names the toolchain that serves the runtimes of a language on this
// machine, such as "Node.js 20.20.2"; empty if none does.
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

// Isolate makes all toolchains build in sandboxes of a host; nil for none. The policy
// says what those reach that download; nil for nothing, whatever the host.
func (t *Toolchains) Isolate(host *sandbox.Host, policy *egress.Policy) {
	offline := ""
	switch {
	case policy == nil:
		offline = "builds have no network (--egress=none)"
	case host != nil && !host.CanMountCode():
		offline = "builds have no network below isolation level full"
	}
	var walls *tool.Walls
	if host != nil {
		walls = &tool.Walls{Host: host, Egress: policy}
		for _, toolchain := range t.found {
			walls.Visible = append(walls.Visible, toolchain.Installation())
			if toolchain.Settings != "" {
				walls.Visible = append(walls.Visible, toolchain.Settings)
			}
		}
	}
	for language, toolchain := range t.found {
		toolchain.Walls, toolchain.Offline = walls, offline
		t.found[language] = toolchain
	}
}

// Installation is the folder that the toolchain was installed in, with its
// libraries: the one above its "bin". If that might have more in it, as a home
// folder does, it is the program alone.
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
