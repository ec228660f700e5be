package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// A builder has what all builds of images share.
type builder struct {
	output, cache, source, repository, version string
	// work is a temporary folder.
	work string
}

// program is the path of Jeton in all images.
const program = "/usr/local/bin/jeton"

// build writes the archive of an image and returns the image's digest.
func (b *builder) build(ctx context.Context, i image) (v1.Hash, error) {
	base, err := b.base(ctx, i)
	if err != nil {
		return v1.Hash{}, err
	}
	dir := filepath.Join(b.work, i.name+"-program")
	entrypoint, err := b.compile(ctx, i, dir)
	if err != nil {
		return v1.Hash{}, err
	}
	top, err := layer(dir, dir+".layer")
	if err != nil {
		return v1.Hash{}, err
	}
	// The program is a layer of its own: a new version replaces only that.
	result, err := mutate.AppendLayers(empty.Image, base, top)
	if err != nil {
		return v1.Hash{}, err
	}
	if result, err = configure(result, entrypoint); err != nil {
		return v1.Hash{}, err
	}
	repository := b.repository
	if i.test {
		repository = "jeton.test"
	}
	version := b.version
	if i.test {
		version = "1"
	}
	tag, err := name.NewTag(repository + "/" + i.name + ":" + version)
	if err != nil {
		return v1.Hash{}, err
	}
	if err := tarball.WriteToFile(filepath.Join(b.output, i.name+".tar"), tag, result); err != nil {
		return v1.Hash{}, err
	}
	return result.Digest()
}

func configure(i v1.Image, entrypoint string) (v1.Image, error) {
	file, err := i.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config = v1.Config{
		Entrypoint: []string{entrypoint}, User: user, WorkingDir: "/",
		Env: []string{"PATH=/usr/local/bin:/usr/bin", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"},
	}
	return mutate.ConfigFile(i, file)
}

// fill creates the root folder of an image without its program.
func (b *builder) fill(ctx context.Context, i image, root string) error {
	for _, dir := range []string{"usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "tmp", "etc", "proc", "dev", "sys"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	// Packages have files in /bin and /lib, which are links since Debian 12.
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := link("usr/"+dir, filepath.Join(root, dir)); err != nil {
			return err
		}
	}
	if len(i.packages) > 0 {
		if err := b.unpackAll(ctx, root, i.packages); err != nil {
			return err
		}
	}
	if i.complete != nil {
		if err := i.complete(ctx, b, root); err != nil {
			return err
		}
	}
	for _, dir := range []string{"usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian", "var/lib/dpkg"} {
		if err := os.RemoveAll(filepath.Join(root, dir)); err != nil {
			return err
		}
	}
	if i.test {
		return nil
	}
	users := "root:x:0:0:root:/:/usr/sbin/nologin\njeton:x:65532:65532:jeton:/tmp:/usr/sbin/nologin\n"
	return write(filepath.Join(root, "etc/passwd"), []byte(users), 0o644)
}

// compile builds the image's program into the folder of its layer and returns its path in the
// image. The flags remove what depends on the machine, the folder or the checkout.
func (b *builder) compile(ctx context.Context, i image, top string) (string, error) {
	path, dir, source := program, b.source, "./cmd/jeton"
	if i.program != "" {
		path, dir, source = "/"+i.name, filepath.Join(b.source, "tools/images"), i.program
	}
	file := filepath.Join(top, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X main.version="+b.version, "-o", file, source)
	command.Dir, command.Stderr = dir, os.Stderr
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOWORK=off")
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("go build %s: %w", source, err)
	}
	return path, nil
}

// base returns the layer below the program. It is cached under the digest of what determines
// it: this program and the names and versions of the packages.
func (b *builder) base(ctx context.Context, i image) (v1.Layer, error) {
	key := sha256.New()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(self)
	if err != nil {
		return nil, err
	}
	files, err := b.list(ctx, append([]string{"ca-certificates"}, i.packages...))
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(key, "%s\n%x\n%s\n%q\n", i.name, sha256.Sum256(program), runtime.Version(), files)
	cached := filepath.Join(b.cache, "layers", hex.EncodeToString(key.Sum(nil)))
	if _, err := os.Stat(cached); err == nil {
		return tarball.LayerFromFile(cached)
	}
	root := filepath.Join(b.work, i.name)
	if err := b.fill(ctx, i, root); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(cached), 0o755); err != nil {
		return nil, err
	}
	return layer(root, cached)
}

// layer writes the layer of a folder to a file, compressed at the fastest level: images are
// imported more often than they are transferred.
func layer(dir, file string) (v1.Layer, error) {
	unfinished, err := os.CreateTemp(filepath.Dir(file), "new-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(unfinished.Name())
	compressed, err := gzip.NewWriterLevel(unfinished, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(archive(compressed, dir), compressed.Close(), unfinished.Close()); err != nil {
		return nil, fmt.Errorf("archive %s: %w", dir, err)
	}
	if err := os.Rename(unfinished.Name(), file); err != nil {
		return nil, err
	}
	return tarball.LayerFromFile(file)
}

// archive writes a folder as a tar archive that depends only on names, contents and
// permissions: sorted, with one time, and owned by root.
func archive(w io.Writer, dir string) error {
	out := tar.NewWriter(w)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			if target, err = os.Readlink(path); err != nil {
				return err
			}
		}
		header, err := tar.FileInfoHeader(info, target)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, dir+"/")
		header.Name, header.Format, header.ModTime = name, tar.FormatPAX, time.Unix(0, 0)
		header.AccessTime, header.ChangeTime = time.Time{}, time.Time{}
		header.Uid, header.Gid, header.Uname, header.Gname = 0, 0, "", ""
		// No file has setuid or setgid bits. The umask of the build is without effect.
		switch {
		case info.IsDir():
			header.Name, header.Mode = name+"/", 0o755
			if name == "tmp" {
				header.Mode = 0o1777
			}
		case header.Mode&0o111 != 0:
			header.Mode = 0o755
		default:
			header.Mode = 0o644
		}
		if err := out.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(out, f)
		return err
	})
	if err != nil {
		return err
	}
	return out.Close()
}
