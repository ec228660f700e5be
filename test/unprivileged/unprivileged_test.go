// Package unprivileged_test runs the server as a user without privileges, in network and mount
// namespaces of its own.
package unprivileged_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/needs"
)

const (
	nobody = 65534
	// outside is an address of the namespace that stands for another machine.
	outside = "198.18.7.7"
	// insideVariable is set in the process that runs in the namespaces.
	insideVariable = "JETON_TEST_UNPRIVILEGED"
	module         = "module example.invalid/text\n\ngo 1.21\n"
	source         = "package text\n\nconst Said = \"downloaded\"\n"
)

// TestUser_FunctionsFetchAndGoBuildsDownload proves that isolation level user has a network.
func TestUser_FunctionsFetchAndGoBuildsDownload(t *testing.T) {
	needs.Root(t, "makes namespaces and becomes another user")
	if inNamespaces(t) {
		return
	}
	dir := accessible(t)
	other := setUp(t, dir)
	listener := listen(t, other)
	sum := serve(t, listener)
	port := listener.Addr().(*net.TCPAddr).Port
	jeton := startServer(t, dir, fmt.Sprintf("http://%s:%d/modules", outside, port))

	jeton.write("fetch/handler.js", fmt.Sprintf("exports.handle = async () => (await fetch('http://%s:%d/said')).text();\n", outside, port))
	jeton.must("deploy", "--no-token", "fetch")
	if got := jeton.must("invoke", "fetch"); got != "fetched" {
		t.Errorf("fetch: got %q, want fetched", got)
	}
	jeton.write("denied/handler.js", "exports.handle = async () => { try { await fetch('http://198.18.7.1:8080/'); return 'reached'; } catch { return 'denied'; } };\n")
	jeton.must("deploy", "--no-token", "denied")
	if got := jeton.must("invoke", "denied"); got != "denied" {
		t.Errorf("the API of this machine: got %q, want denied", got)
	}
	jeton.write("modules/go.mod", "module f\n\ngo 1.21\n\nrequire example.invalid/text v1.0.0\n")
	jeton.write("modules/go.sum", sum)
	jeton.write("modules/handler.go", "package f\n\nimport (\n\t\"net/http\"\n\n\t\"example.invalid/text\"\n)\n\n"+
		"func Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte(text.Said)) }\n")
	jeton.must("deploy", "--no-token", "modules")
	if got := jeton.must("invoke", "modules"); got != "downloaded" {
		t.Errorf("modules: got %q, want downloaded", got)
	}
}

// TestUser_DoctorNamesMissingDevice proves that jeton doctor says why there is no network, and what
// to do.
func TestUser_DoctorNamesMissingDevice(t *testing.T) {
	needs.Root(t, "makes namespaces and becomes another user")
	if inNamespaces(t) {
		return
	}
	dir := accessible(t)
	setUp(t, dir)
	j := &jeton{t: t, dir: dir, env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}}
	for _, test := range []struct{ name, prepare, want string }{
		{"device for everybody", "true", "network   works"},
		{"device of root", "chmod 600 /dev/net/tun", "open /dev/net/tun: permission denied: as root, run chmod 0666 /dev/net/tun"},
		{"no device", "mount -t tmpfs none /dev/net", "open /dev/net/tun: no such file or directory: as root, run modprobe tun"},
	} {
		run(t, exec.CommandContext(t.Context(), "sh", "-ec", test.prepare))
		output := j.must("doctor")
		_, atUser, _ := strings.Cut(output, "  user ")
		atUser, _, _ = strings.Cut(atUser, "  restricted ")
		if !strings.Contains(atUser, test.want) {
			t.Errorf("%s: got %s\nwant %q", test.name, output, test.want)
		}
	}
}

// inNamespaces runs the test again in namespaces of its own, with a program, and reports true; in
// the namespaces it reports false.
func inNamespaces(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		return false
	}
	program := filepath.Join(accessible(t), "jeton")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../cmd/jeton")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	run(t, build)
	inside := exec.CommandContext(t.Context(), "unshare", "--mount", "--net", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	inside.Env = append(os.Environ(), insideVariable+"="+program)
	t.Logf("%s", run(t, inside))
	return true
}

func run(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command.Args, " "), err, output)
	}
	return string(output)
}

// accessible returns a folder that other users can enter.
func accessible(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for parent := dir; strings.HasPrefix(parent, os.TempDir()+"/"); parent = filepath.Dir(parent) {
		if err := os.Chmod(parent, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	return dir
}

// setUp connects the namespace to another one with the address outside, and gives it a device
// for interfaces that everybody can open, as udev makes it. It returns the other namespace.
func setUp(t *testing.T, dir string) (other *os.File) {
	t.Helper()
	name := fmt.Sprint("jeton-test-", os.Getpid())
	t.Cleanup(func() { run(t, exec.Command("ip", "netns", "delete", name)) })
	run(t, exec.CommandContext(t.Context(), "sh", "-ec", `
ip link set lo up
ip netns add "$1"
ip link add here type veth peer name there netns "$1"
ip address add 198.18.7.1/24 dev here
ip link set here up
ip -n "$1" address add `+outside+`/24 dev there
ip -n "$1" link set there up
mknod "$0/tun" c 10 200
chmod 666 "$0/tun"
mount --bind "$0/tun" /dev/net/tun
`, dir, name))
	other, err := os.Open(filepath.Join("/run/netns", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	return other
}

// listen listens in another namespace.
func listen(t *testing.T, namespace *os.File) net.Listener {
	t.Helper()
	type result struct {
		listener net.Listener
		err      error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // The thread ends with the goroutine.
		err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET)
		if err != nil {
			done <- result{nil, err}
			return
		}
		listener, err := net.Listen("tcp", outside+":0")
		done <- result{listener, err}
	}()
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.listener
}

// serve serves a text, and a Go module at /modules. It returns the go.sum of the module.
func serve(t *testing.T, listener net.Listener) string {
	t.Helper()
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	for name, content := range map[string]string{"go.mod": module, "text.go": source} {
		w, err := archive.Create("example.invalid/text@v1.0.0/" + name)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "module.zip")
	err := os.WriteFile(path, packed.Bytes(), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := dirhash.HashZip(path, dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	modSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(module)), nil })
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for path, content := range map[string]string{
		"/said": "fetched", "/modules/example.invalid/text/@v/v1.0.0.mod": module,
		"/modules/example.invalid/text/@v/v1.0.0.info": `{"Version":"v1.0.0","Time":"2024-01-01T00:00:00Z"}`,
		"/modules/example.invalid/text/@v/v1.0.0.zip":  packed.String(),
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, content) })
	}
	s := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(listener) }()
	t.Cleanup(func() { _ = s.Close() })
	return "example.invalid/text v1.0.0 " + sum + "\nexample.invalid/text v1.0.0/go.mod " + modSum + "\n"
}

// jeton runs commands as the user nobody.
type jeton struct {
	t   *testing.T
	dir string
	env []string
}

func startServer(t *testing.T, dir, proxy string) *jeton {
	t.Helper()
	j := &jeton{t: t, dir: dir, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "JETON_DATA_DIR=" + filepath.Join(dir, "data"),
		"GOPROXY=" + proxy, "GONOSUMDB=example.invalid", "GOFLAGS=-modcacherw", "TMPDIR=" + dir,
	}}
	server := j.command("serve", "--api-listen", "0.0.0.0:8080")
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
		if t.Failed() {
			t.Logf("%s", log.String())
		}
	})
	await.True(t, "the server to start", func() bool { return j.command("namespace", "list").Run() == nil })
	return j
}

func (j *jeton) command(arguments ...string) *exec.Cmd {
	command := exec.CommandContext(j.t.Context(), os.Getenv(insideVariable), arguments...)
	command.Dir, command.Env = j.dir, j.env
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return command
}

// must runs a command and returns its standard output.
func (j *jeton) must(arguments ...string) string {
	j.t.Helper()
	command := j.command(arguments...)
	var errors bytes.Buffer
	command.Stderr = &errors
	output, err := command.Output()
	if err != nil {
		j.t.Fatalf("jeton %s: %v\n%s%s", strings.Join(arguments, " "), err, output, errors.String())
	}
	return string(output)
}

func (j *jeton) write(name, content string) {
	j.t.Helper()
	path := filepath.Join(j.dir, name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(content), 0o644)
	}
	if err == nil {
		err = os.Chown(filepath.Dir(path), nobody, nobody) // jeton deploy writes functions.yaml.
	}
	if err != nil {
		j.t.Fatal(err)
	}
}
