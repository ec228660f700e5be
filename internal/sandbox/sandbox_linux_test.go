package sandbox_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/sandbox"
)

func TestQuick(t *testing.T) {
	h, err := sandbox.Open(sandbox.Full, "jeton-test")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for range 5 {
	var out bytes.Buffer
	began := time.Now()
	s, err := h.Start(t.Context(), sandbox.Layout{Visible: sandbox.SystemFolders(), Profile: sandbox.Generic, Stdout: &out, Stderr: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	built := time.Since(began)
	dir := t.TempDir()
	os.Chmod(dir, 0o755)
	os.WriteFile(dir+"/code.txt", []byte("the code\n"), 0o644)
	if err := s.Limit(sandbox.LimitsFor(128, 70)); err != nil {
		t.Fatal(err)
	}
	limited := time.Since(began)
	if err := s.Reveal(dir); err != nil {
		t.Fatal(err)
	}
	revealed := time.Since(began)
	err = s.Become(sandbox.Program{Path: "/bin/sh", Args: []string{"sh", "-c", "id; ls -la / /home/app /dev; cat /home/app/code.txt; df -h /tmp; cat /proc/self/status | grep -E 'Cap|NoNew|Secc'; ps ax | head; cat /proc/1/cgroup; mount | head -40; ip addr; touch /x /home/app/y /tmp/z; ls /proc | head -5"}, Env: []string{"PATH=/usr/bin:/bin:/usr/sbin"}, Dir: "/home/app"})
	if err != nil {
		t.Fatal(err)
	}
	end := s.Wait()
	fmt.Println(out.String(), end.State, built, limited-built, revealed-limited, time.Since(began))
	}
}
