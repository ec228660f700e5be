package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The server has an open file that a program which it starts could inherit.
func TestFunction_InheritsNoOpenFiles(t *testing.T) {
	file := must[*os.File](t)(os.Create(filepath.Join(t.TempDir(), "of-the-operator")))
	defer file.Close()
	inherited := must[int](t)(unix.Dup(int(file.Fd())))
	defer func() { _ = unix.Close(inherited) }()
	w := newWorld(t)
	f := w.function(python(w.namespace("inherited").ID, "f"), map[string]string{
		"handler.py": "import os\ndef handle(event, context):\n" +
			"    found = []\n    for fd in range(1024):\n        try: found.append(os.readlink('/proc/self/fd/%d' % fd))\n        except OSError: pass\n    return found\n",
	})
	status, body := w.call(f, "/", "")
	if status != http.StatusOK || !strings.Contains(body, "socket:") || strings.Contains(body, "of-the-operator") {
		t.Errorf("open files of the function: got %d %s", status, body)
	}
}
