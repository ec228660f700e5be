package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed static
var static embed.FS

// files are the files of the console. The path of each contains a digest of all, so that
// browsers keep them until they change.
type files struct {
	version string
	index   []byte
	assets  map[string]file
}

type file struct {
	contentType   string
	plain, zipped []byte
}

func newFiles() (*files, error) {
	f := &files{assets: map[string]file{}}
	digest := sha256.New()
	err := fs.WalkDir(static, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(digest, "%s %d\n", name, len(content))
		digest.Write(content)
		return f.add(strings.TrimPrefix(name, "static/"), content)
	})
	if err != nil {
		return nil, fmt.Errorf("read files of the console: %w", err)
	}
	f.version = hex.EncodeToString(digest.Sum(nil)[:8])
	f.index = f.page()
	delete(f.assets, "index.html")
	return f, nil
}

var imports = regexp.MustCompile(`(?m)^import .* from '\./([a-z]+\.js)';$`)

// page returns the page. It names the modules of the frame, so that the browser loads them at
// once and not one after the other as their imports appear. Those of the pages are loaded when
// they are shown.
func (f *files) page() []byte {
	frame := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		for _, found := range imports.FindAllSubmatch(f.assets[name].plain, -1) {
			if imported := string(found[1]); !frame[imported] {
				frame[imported] = true
				visit(imported)
			}
		}
	}
	visit("app.js")
	delete(frame, "start.js") // The page starts it.
	var modules strings.Builder
	for _, name := range slices.Sorted(maps.Keys(frame)) {
		fmt.Fprintf(&modules, "<link rel=\"modulepreload\" href=\"assets/{version}/%s\">\n", name)
	}
	page := bytes.ReplaceAll(f.assets["index.html"].plain, []byte("{modules}"), []byte(modules.String()))
	return bytes.ReplaceAll(page, []byte("{version}"), []byte(f.version))
}

func (f *files) add(name string, content []byte) error {
	var zipped bytes.Buffer
	writer, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := writer.Write(content); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	types := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	contentType := types[path.Ext(name)]
	if contentType == "" {
		contentType = mime.TypeByExtension(path.Ext(name))
	}
	f.assets[name] = file{contentType, content, zipped.Bytes()}
	return nil
}

// serveIndex serves the page. It has no data: scripts load it.
func (f *files) serveIndex(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Length", strconv.Itoa(len(f.index)))
	_, _ = w.Write(f.index)
}

// asset serves a script, a style or an image.
func (f *files) asset(w http.ResponseWriter, r *http.Request) {
	found, ok := f.assets[r.PathValue("name")]
	if !ok {
		refuse(w, http.StatusNotFound, "no such file")
		return
	}
	if r.PathValue("version") == f.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		// A page of another version, for example of another node during an update.
		w.Header().Set("Cache-Control", "no-store")
	}
	w.Header().Set("Vary", "Accept-Encoding")
	w.Header().Set("Content-Type", found.contentType)
	content := found.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		content = found.zipped
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content)
}
