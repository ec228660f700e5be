package php

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

// install has composer get what composer.json asks for, unless the archive has a
// vendor folder that composer has made.
func (b *Builder) install(ctx context.Context, t runtime.Toolchain, build runtime.Build) error {
	for _, name := range []string{"composer.json", "composer.lock"} {
		if err := checkPlaces(filepath.Join(build.Source, name), name); err != nil {
			return err
		}
	}
	if !isFile(filepath.Join(build.Source, "composer.json")) || isFile(filepath.Join(build.Source, "vendor", "autoload.php")) {
		return nil
	}
	composer, err := exec.LookPath("composer")
	if err != nil {
		return runtime.Failf("the archive has a composer.json, and this server has no composer: " +
			"have composer installed (https://getcomposer.org), or put the folder vendor that it makes into the archive")
	}
	scratch := filepath.Join(build.Output, ".composer")
	if err := errors.Join(os.Mkdir(scratch, 0o700), os.MkdirAll(b.config.Cache, 0o700)); err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	out, err := tool.Run(ctx, tool.Command{
		// Neither scripts nor plugins: a build runs no code of the archive.
		Args: []string{
			composer, "install", "--no-dev", "--no-interaction", "--no-progress", "--no-ansi",
			"--no-scripts", "--no-plugins", "--prefer-dist", "--optimize-autoloader",
		},
		Dir: build.Source,
		Env: append(tool.Inherited(), "HOME="+scratch, "TMPDIR="+scratch, "COMPOSER_HOME="+scratch,
			"COMPOSER_CACHE_DIR="+b.config.Cache, "COMPOSER_ALLOW_SUPERUSER=1", "COMPOSER_MIRROR_PATH_REPOS=1",
			"COMPOSER_VENDOR_DIR=vendor", "COMPOSER_BIN_DIR=vendor/bin"),
		Writable: []string{build.Source, scratch, b.config.Cache},
		Network:  true,
		Walls:    t.Walls,
		Log:      build.Log,
		Timeout:  b.config.Timeout,
	})
	var failure *tool.Failure
	switch {
	case errors.Is(err, tool.ErrTimeout):
		return runtime.Failf("composer took longer than %v", b.config.Timeout)
	case errors.As(err, &failure):
		return runtime.Failf("composer failed:\n%s", tool.Excerpt(out, excerptLines, build.Source+"/", scratch+"/", b.config.Cache+"/"))
	}
	return err
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// checkPlaces refuses packages from folders outside the archive, which would put
// files of this server, or of another function, into this one; and folders outside
// of it to write to.
func checkPlaces(path, name string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return runtime.Failf("%s cannot be read: it is not a file", name)
	}
	var content any
	if err := json.Unmarshal(text, &content); err != nil {
		return runtime.Failf("%s cannot be read: %v", name, err)
	}
	if key, place, found := foreign(content); found {
		return runtime.Failf("%s has the %s %s: want a folder in the archive, or an address that begins with https://", name, key, place)
	}
	return nil
}

// foreign finds a place that is neither of the network nor of the archive, under
// any key that stands for one.
func foreign(content any) (key, place string, found bool) {
	switch value := content.(type) {
	case []any:
		for _, element := range value {
			if key, place, found = foreign(element); found {
				return key, place, true
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			place, isText := value[name].(string)
			if isText && (name == "url" || strings.HasSuffix(name, "-dir")) && !within(place) {
				return name, place, true
			}
			if key, place, found = foreign(value[name]); found {
				return key, place, true
			}
		}
	}
	return "", "", false
}

func within(place string) bool {
	if strings.Contains(place, ":") {
		return strings.HasPrefix(place, "https://")
	}
	return filepath.IsLocal(place)
}
