package reconcile_test

import (
	"os"
	"path/filepath"
	"testing"
)

// A server that is killed during a first deployment may leave an artifact.
func TestRestore_RemovesFilesOfFunctionsWithoutRevision(t *testing.T) {
	run(t, func(f *fixture) {
		fn := f.newFunction()
		artifacts := filepath.Join(f.dir, "artifacts", fn.ID)
		if err := os.MkdirAll(filepath.Join(artifacts, "unfinished"), 0o700); err != nil {
			f.Fatal(err)
		}
		f.start()
		if got := entries(artifacts); len(got) > 0 {
			f.Errorf("got artifacts %v, want none", got)
		}
	})
}
