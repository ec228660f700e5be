package main

import (
	"context"
	"os"
	"path/filepath"
)

// An image is the description of a container image.
type image struct {
	name string
	// packages are Debian packages; their dependencies are added.
	packages []string
	// complete adds what no package has to the root folder; nil for nothing.
	complete func(context.Context, *builder, string) error
	// program is the package of this module to run; empty for Jeton.
	program string
	// test is whether only tests use the image.
	test bool
}

// user is a user without a name: the restricted Pod Security Standard requires a number that
// is not 0.
const user = "65532:65532"

// images are all images, the ones without dependencies first. A runtime image has the
// packages that jeton doctor asks for.
var images = []image{
	{name: "pause", program: "./pause", test: true},
	{name: "jeton", complete: certificates},
	{name: "jeton-runtime-node", packages: []string{"libstdc++6"}, complete: all(certificates, nodeProgram)},
	{name: "jeton-runtime-python", packages: []string{"python3-minimal", "python3"}, complete: certificates},
	{name: "jeton-runtime-php", packages: []string{"php-cli", "composer", "unzip"}, complete: all(certificates, phpExtensions)},
	{name: "jeton-runtime-go", packages: []string{"libc6"}, complete: all(certificates, goToolchain)},
	{name: "jeton-runtime-rust", packages: []string{"cargo", "rustc", "gcc", "libc6-dev"}, complete: all(certificates, cLinker)},
}

// all returns a function that calls several in turn.
func all(steps ...func(context.Context, *builder, string) error) func(context.Context, *builder, string) error {
	return func(ctx context.Context, b *builder, root string) error {
		for _, step := range steps {
			if err := step(ctx, b, root); err != nil {
				return err
			}
		}
		return nil
	}
}

// write creates a file with its folders.
func write(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, mode)
}

// link creates a symbolic link with its folder, unless the path exists.
func link(target, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(target, path); err != nil && !os.IsExist(err) {
		return err
	}
	return nil
}
