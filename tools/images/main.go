// Command images builds the container images of Jeton without Docker: archives in the format
// of "docker save", which containerd, Docker, kind and k3s import. The same packages and
// programs produce the same digest.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var b builder
	flag.StringVar(&b.output, "output", "dist/images", "folder to write the archives to")
	flag.StringVar(&b.cache, "cache", "", "folder of downloaded packages (default: jeton-images in the user's cache folder)")
	flag.StringVar(&b.source, "source", ".", "folder of Jeton's main module")
	flag.StringVar(&b.repository, "repository", "ghcr.io/jeton-dev", "repository that prefixes the names of the images")
	flag.StringVar(&b.version, "version", "dev", "tag of the images and version of the program")
	only := flag.String("only", "", "names of the images to build, separated by commas (default: all for users)")
	flag.Parse()
	if err := b.run(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

func (b builder) run(ctx context.Context, only string) error {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	if b.cache == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("find cache folder: %w: pass -cache", err)
		}
		b.cache = filepath.Join(cache, "jeton-images")
	}
	for _, dir := range []*string{&b.cache, &b.output, &b.source} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			return err
		}
		if err := os.MkdirAll(*dir, 0o755); err != nil {
			return err
		}
	}
	if b.work, err = os.MkdirTemp("", "images-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.work)
	for _, i := range chosen {
		digest, err := b.build(ctx, i)
		if err != nil {
			return fmt.Errorf("build %s: %w", i.name, err)
		}
		fmt.Println(digest, filepath.Join(b.output, i.name+".tar"))
	}
	return nil
}

// choose returns the images with the given names, or else all that are not for tests.
func choose(only string) (chosen []image, err error) {
	if only == "" {
		return slices.DeleteFunc(slices.Clone(images), func(i image) bool { return i.test }), nil
	}
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(images, func(i image) bool { return i.name == name })
		if i < 0 {
			return nil, errors.New("no image " + name)
		}
		chosen = append(chosen, images[i])
	}
	return chosen, nil
}
