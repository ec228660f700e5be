package faults_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/needs"
)

// wantUnavailable fails unless an error says what is wrong with the server.
func wantUnavailable(t *testing.T, err error, text string) {
	t.Helper()
	refused, ok := errors.AsType[*scw.ResponseError](err)
	if !ok || refused.StatusCode != http.StatusServiceUnavailable || !strings.Contains(refused.Message, text) {
		t.Errorf("the answer is %v, want 503 and %q", err, text)
	}
}

// mount makes a small file system of its own that ends with the test.
func mount(t *testing.T, dir, options string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "jeton-fault", dir).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v: %s", err, output)
	}
	t.Cleanup(func() {
		if output, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, output)
		}
	})
}

func remount(t *testing.T, dir, options string) {
	t.Helper()
	if output, err := exec.Command("mount", "-o", "remount,"+options, dir).CombinedOutput(); err != nil {
		t.Fatalf("remount: %v: %s", err, output)
	}
}

// TestFullDisk fills the disk while tokens are made. What was acknowledged is
// there afterwards; what could not be kept was answered so; and when there is room
// again, the same process goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	needs.Root(t, "mounts a small disk") // TestLimitedFiles shows the same without.
	disk := filepath.Join(t.TempDir(), "disk")
	mount(t, disk, "size=1536k")
	p := start(t, filepath.Join(disk, "data"), "")
	n := p.namespace("full")
	f, err := p.CreateFunction(&function.CreateFunctionRequest{NamespaceID: n.ID, Name: "full", Runtime: "python311", Privacy: function.FunctionPrivacyPrivate})
	if err != nil {
		t.Fatal(err)
	}
	target, err := p.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{FunctionID: f.ID, ContentLength: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	opens, err := p.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := p.tokens(n.ID, 5000)
	wantUnavailable(t, err, "its disk is full")
	if refused(t, p.gateway, f, opens.Token) || !refused(t, p.gateway, f, opens.Token+"x") {
		t.Error("on a full disk, the gateway does not decide as before")
	}
	if _, err := p.DeleteToken(&function.DeleteTokenRequest{TokenID: kept[0]}); err == nil {
		kept = kept[1:] // there was just room enough
	}
	p.wantTokens("on a full disk", kept[:min(len(kept), 50)])
	if status, body := put(t, target, 1<<20); status != http.StatusServiceUnavailable || !strings.Contains(body, "disk is full") {
		t.Errorf("an archive that there is no room for: %d %s", status, body)
	}
	if said := p.log.String(); !strings.Contains(said, "free disk space") {
		t.Error("the log does not say what to do")
	}
	remount(t, disk, "size=64m")
	more, err := p.tokens(n.ID, 20)
	if err != nil {
		t.Errorf("with room again: %v", err)
	}
	kept = append(kept, more...)
	if status, body := put(t, target, 1<<20); status != http.StatusOK {
		t.Errorf("an archive that there is room for again: %d %s", status, body)
	}
	p.kill()
	p = start(t, filepath.Join(disk, "data"), "")
	p.wantTokens("after a crash", kept)
}

// put uploads an archive of so many bytes.
func put(t *testing.T, target *function.UploadURL, size int) (status int, body string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPut, target.URL, strings.NewReader(strings.Repeat("x", size)))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// TestLimitedFiles has no file grow beyond a size, which anybody can.
func TestLimitedFiles(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "ulimit -f 1200")
	n := p.namespace("limited")
	kept, err := p.tokens(n.ID, 5000)
	wantUnavailable(t, err, "a file may not grow")
	p.wantTokens("with files that cannot grow", kept[:min(len(kept), 50)])
	p.kill()
	p = start(t, data, "")
	p.wantTokens("after a crash", kept)
	if _, err := p.tokens(n.ID, 1); err != nil {
		t.Errorf("without the limit: %v", err)
	}
}

// TestReadOnlyFolder says what is wrong, and changes nothing.
func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "disk")
	data := filepath.Join(dir, "data")
	var want string
	if os.Geteuid() == 0 {
		mount(t, dir, "size=16m")
		start(t, data, "").stop()
		remount(t, dir, "ro")
		want = "read-only file system"
	} else {
		start(t, data, "").stop()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(data, 0o500); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
		// The owner's own folder is opened again, but nothing beside it.
		want = "permission denied"
	}
	if said := refuses(t, data); !strings.Contains(said, want) || !strings.Contains(said, dir) || strings.Contains(said, "goroutine") {
		t.Errorf("jeton says %q, want the folder and %q", said, want)
	}
}
