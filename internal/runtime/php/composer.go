package php

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

// install installs the requirements of composer.json, unless the archive has a vendor
// folder of composer.
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
			"ask the operator to install composer (https://getcomposer.org), or put the folder vendor that it creates into the archive")
	}
	c := &installation{
		program: composer, toolchain: t, build: build, timeout: b.config.Timeout,
		scratch: filepath.Join(build.Output, ".composer"), cache: filepath.Join(build.Cache, "composer"),
	}
	if err := errors.Join(os.Mkdir(c.scratch, 0o700), os.MkdirAll(c.cache, 0o700)); err != nil {
		return err
	}
	defer os.RemoveAll(c.scratch)
	if err := c.download(ctx); err != nil {
		return err
	}
	return c.install(ctx)
}

// An installation is two runs of composer: one that downloads and sees only the manifests
// of the archive, and one that sees the whole archive and has no network access.
type installation struct {
	program        string
	toolchain      runtime.Toolchain
	build          runtime.Build
	timeout        time.Duration
	scratch, cache string
}

// arguments returns the arguments of a run. Scripts and plugins are disabled, because a
// build must not run code of the archive.
func arguments(more ...string) []string {
	return append([]string{
		"install", "--no-dev", "--no-interaction", "--no-progress", "--no-ansi", "--no-scripts", "--no-plugins", "--prefer-dist",
	}, more...)
}

func (c *installation) command(dir string) tool.Command {
	return tool.Command{
		Dir: dir,
		Env: append(tool.Inherited(), "HOME="+c.scratch, "TMPDIR="+c.scratch, "COMPOSER_HOME="+c.scratch,
			"COMPOSER_CACHE_DIR="+c.cache, "COMPOSER_ALLOW_SUPERUSER=1", "COMPOSER_MIRROR_PATH_REPOS=1",
			"COMPOSER_VENDOR_DIR=vendor", "COMPOSER_BIN_DIR=vendor/bin",
			// Otherwise composer runs a version control program to find it.
			"COMPOSER_ROOT_VERSION=1.0.0"),
		Isolation: c.toolchain.Isolation,
		Log:       c.build.Log,
		Timeout:   c.timeout,
	}
}

// download downloads the packages of composer.json to the cache, and writes composer.lock
// if the archive has none. The step has network access, and sees only manifests and
// packed packages of the archive.
func (c *installation) download(ctx context.Context) error {
	if c.toolchain.Offline != "" {
		return nil
	}
	places, err := packedPlaces(c.build.Source)
	if err != nil {
		return err
	}
	folder := filepath.Join(c.scratch, "download")
	isVisible := func(name string) bool {
		return path.Base(name) == "composer.json" || name == "composer.lock" || name == "auth.json" || slices.ContainsFunc(places, func(place string) bool {
			return strings.HasPrefix(name, place+"/")
		})
	}
	if err := tool.Skeleton(ctx, c.build.Source, folder, isVisible, false); err != nil {
		return err
	}
	command := c.command(folder)
	command.Args = append([]string{c.program}, arguments("--download-only")...)
	command.Writable, command.Network = []string{c.scratch, c.cache}, true
	err = c.build.Fetch(ctx, func(ctx context.Context) error { return c.run(ctx, command) })
	if err != nil {
		return err
	}
	return tool.Take(folder, c.build.Source, "composer.lock")
}

// install installs the packages from the cache to the folder vendor.
func (c *installation) install(ctx context.Context) error {
	command := c.command(c.build.Source)
	command.Args = append([]string{c.program}, arguments("--optimize-autoloader")...)
	command.Env = append(command.Env, "COMPOSER_DISABLE_NETWORK=1", "COMPOSER_CACHE_READ_ONLY=1")
	command.Readable, command.Writable = []string{c.cache}, []string{c.build.Source, c.scratch}
	return c.run(ctx, command)
}

func (c *installation) run(ctx context.Context, command tool.Command) error {
	out, err := tool.Run(ctx, command)
	var failure *tool.Failure
	switch {
	case errors.Is(err, tool.ErrTimeout):
		return runtime.Failf("composer took longer than %v", c.timeout)
	case errors.As(err, &failure):
		shown := tool.Excerpt(out, excerptLines, filepath.Join(c.scratch, "download")+"/", c.build.Source+"/", c.scratch+"/", c.cache+"/")
		if c.toolchain.Offline != "" {
			shown += "\n" + c.toolchain.Offline + ": put the folder vendor that composer creates into the archive"
		}
		return runtime.Failf("composer failed:\n%s", shown)
	}
	return err
}

// packedPlaces returns the folders of the archive that composer.json declares as
// repositories of packed packages.
func packedPlaces(source string) ([]string, error) {
	text, err := tool.ReadDescription(filepath.Join(source, "composer.json"))
	if err != nil {
		return nil, runtime.Failf("composer.json cannot be read: it is not a file, or too large")
	}
	type repository struct{ Type, URL string }
	var described struct{ Repositories json.RawMessage }
	if err := json.Unmarshal(text, &described); err != nil {
		return nil, runtime.Failf("composer.json cannot be read: %v", err)
	}
	// Repositories are a list or an object with names. Composer reports anything else.
	var raw []json.RawMessage
	if json.Unmarshal(described.Repositories, &raw) != nil {
		var named map[string]json.RawMessage
		_ = json.Unmarshal(described.Repositories, &named)
		raw = slices.Collect(maps.Values(named))
	}
	var places []string
	for _, one := range raw {
		var r repository
		if json.Unmarshal(one, &r) == nil && r.Type == "artifact" {
			places = append(places, path.Clean(r.URL))
		}
	}
	return places, nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// checkPlaces refuses packages from folders outside of the archive, which could copy files
// of the server or of another function into this one, and output folders outside of it.
func checkPlaces(path, name string) error {
	text, err := tool.ReadDescription(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return runtime.Failf("%s cannot be read: it is not a file, or too large", name)
	}
	var content any
	if err := json.Unmarshal(text, &content); err != nil {
		return runtime.Failf("%s cannot be read: %v", name, err)
	}
	if key, place, found := foreign(content); found {
		return runtime.Failf("%s has the %s %s: use a folder in the archive or an address that begins with https://", name, key, place)
	}
	return nil
}

// foreign returns a key that names a folder or address, and its value, if the value is
// neither in the archive nor an https:// address.
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
