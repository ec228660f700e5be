package script

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/jeton-dev/jeton/internal/runtime"
)

// Find returns the slash-separated path of the handler's file in the source: the first
// existing one with one of the extensions. Returns a *runtime.BuildError without one.
func Find(build runtime.Build, extensions []string) (string, error) {
	base := path.Join(build.Handler.Dir, build.Handler.File)
	var tried []string
	for _, extension := range extensions {
		if isFile(build.Source, base+extension) {
			return base + extension, nil
		}
		tried = append(tried, base+extension)
	}
	wanted := strings.Join(tried, " or ")
	if folder := wrapper(build.Source); folder != "" {
		for _, name := range tried {
			if isFile(build.Source, path.Join(folder, name)) {
				return "", runtime.Failf("there is no %s at the root of the archive, but in its folder %s: "+
					"put the content of the folder into the archive, not the folder", wanted, folder)
			}
		}
	}
	return "", runtime.Failf("there is no %s in the archive: the handler names the file and the function in it", wanted)
}

func isFile(source, name string) bool {
	info, err := os.Stat(filepath.Join(source, filepath.FromSlash(name)))
	return err == nil && info.Mode().IsRegular()
}

// wrapper returns the name of the folder that is the only entry of the source, or "". A
// common mistake is to pack a folder instead of its content.
func wrapper(source string) string {
	entries, err := os.ReadDir(source)
	if err != nil || len(entries) != 1 || !entries[0].IsDir() {
		return ""
	}
	return entries[0].Name()
}

// Lay moves the source to the code folder of the output, and writes further files to the
// output.
func Lay(build runtime.Build, files map[string][]byte) error {
	if err := os.Rename(build.Source, filepath.Join(build.Output, runtime.CodeDir)); err != nil {
		return fmt.Errorf("move the code to the output: %w", err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(build.Output, name), content, 0o644); err != nil {
			return fmt.Errorf("write the bootstrap: %w", err)
		}
	}
	return nil
}
