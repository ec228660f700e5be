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

// wantUnavailable checks that an error is a 503 with a text.
func wantUnavailable(t *testing.T, err error, text string) {
	t.Helper()
	refused, ok := errors.AsType[*scw.ResponseError](err)
	if !ok || refused.StatusCode != http.StatusServiceUnavailable || !strings.Contains(refused.Message, text) {
		t.Errorf("got %v, want 503 and %q", err, text)
	}
}

// mount mounts a tmpfs until the test ends.
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

// TestServe_RefusesChangesOnFullDisk creates tokens until the disk is full. Acknowledged
// tokens are kept, other changes get 503, and the process accepts changes again when there
// is space.
func TestServe_RefusesChangesOnFullDisk(t *testing.T) {
	t.Parallel()
	needs.Root(t, "mounts a small disk") // The test of file sizes needs no root.
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
	valid, err := p.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := p.tokens(n.ID, 5000)
	wantUnavailable(t, err, "its disk is full")
	if refused(t, p.gateway, f, valid.Token) || !refused(t, p.gateway, f, valid.Token+"x") {
		t.Error("on a full disk: want a valid token admitted and an invalid one denied")
	}
	if _, err := p.DeleteToken(&function.DeleteTokenRequest{TokenID: kept[0]}); err == nil {
		kept = kept[1:] // There was enough space for this change.
	}
	p.wantTokens("on a full disk", kept[:min(len(kept), 50)])
	if status, body := put(t, target, 1<<20); status != http.StatusServiceUnavailable || !strings.Contains(body, "disk is full") {
		t.Errorf("got %d %s for an upload to a full disk, want 503", status, body)
	}
	if log := p.log.String(); !strings.Contains(log, "free disk space") {
		t.Error("got no advice for a full disk in the log, want some")
	}
	remount(t, disk, "size=64m")
	more, err := p.tokens(n.ID, 20)
	if err != nil {
		t.Errorf("got %v when the disk has space again, want nil", err)
	}
	kept = append(kept, more...)
	if status, body := put(t, target, 1<<20); status != http.StatusOK {
		t.Errorf("got %d %s for an upload when the disk has space again, want 200", status, body)
	}
	p.kill()
	p = start(t, filepath.Join(disk, "data"), "")
	p.wantTokens("after a crash", kept)
}

// put uploads an archive of a size in bytes.
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

// TestServe_RefusesChangesWhenFilesCannotGrow limits the file size with ulimit.
func TestServe_RefusesChangesWhenFilesCannotGrow(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "ulimit -f 1200")
	n := p.namespace("limited")
	kept, err := p.tokens(n.ID, 5000)
	wantUnavailable(t, err, "a file cannot grow")
	p.wantTokens("with files that cannot grow", kept[:min(len(kept), 50)])
	p.kill()
	p = start(t, data, "")
	p.wantTokens("after a crash", kept)
	if _, err := p.tokens(n.ID, 1); err != nil {
		t.Errorf("got %v without the limit, want nil", err)
	}
}

func TestServe_RefusesReadOnlyFolder(t *testing.T) {
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
		// The server restores the mode of its data folder, but not that of the parent.
		want = "permission denied"
	}
	if printed := refusesToStart(t, data); !strings.Contains(printed, want) || !strings.Contains(printed, dir) || strings.Contains(printed, "goroutine") {
		t.Errorf("got output %q, want the folder and %q", printed, want)
	}
}
