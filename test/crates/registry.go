package crates

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// A Registry is a registry of cargo over HTTP.
type Registry struct {
	// URL is its URL for cargo, and Address its TCP address.
	URL     string
	Address net.Addr

	mu        sync.Mutex
	downloads map[string]bool
}

// Downloaded reports whether a crate was downloaded.
func (r *Registry) Downloaded(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.downloads[name]
}

// release is the index entry of one version of a crate.
type release struct {
	Name         string              `json:"name"`
	Version      string              `json:"vers"`
	Dependencies []dependency        `json:"deps"`
	Checksum     string              `json:"cksum"`
	Features     map[string][]string `json:"features2"`
	Yanked       bool                `json:"yanked"`
	Format       int                 `json:"v"`
}

type dependency struct {
	Name     string   `json:"name"`
	Package  string   `json:"package,omitempty"`
	Wanted   string   `json:"req"`
	Features []string `json:"features"`
	Optional bool     `json:"optional"`
	Default  bool     `json:"default_features"`
	Target   *string  `json:"target"`
	Kind     string   `json:"kind"`
}

// Serve serves the crates of a folder at a free port of an IP address until the test ends. It needs
// cargo.
func Serve(t testing.TB, folder, host string) *Registry {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewUnstartedServer(mux)
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	r := &Registry{URL: "sparse+" + server.URL + "/", Address: listener.Addr(), downloads: map[string]bool{}}
	mux.HandleFunc("GET /config.json", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"dl": server.URL + "/crates/{crate}/{version}"})
	})
	found, err := filepath.Glob(filepath.Join(folder, "*", "Cargo.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("the folder %s has no crates: run make test/crates/registry", folder)
	}
	index := map[string][]byte{}
	for _, manifest := range found {
		packed := pack(t, filepath.Dir(manifest))
		one := releaseOf(t, manifest, packed)
		line, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		index[one.Name] = append(append(index[one.Name], line...), '\n')
		mux.HandleFunc("GET /crates/"+one.Name+"/"+one.Version, func(w http.ResponseWriter, _ *http.Request) {
			r.mu.Lock()
			r.downloads[one.Name] = true
			r.mu.Unlock()
			_, _ = w.Write(packed)
		})
	}
	for name, lines := range index {
		mux.HandleFunc("GET /"+indexPath(name), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(lines) })
	}
	return r
}

// indexPath returns the path of a crate in an index.
func indexPath(name string) string {
	switch len(name) {
	case 1, 2:
		return string(rune('0'+len(name))) + "/" + name
	case 3:
		return "3/" + name[:1] + "/" + name
	}
	return name[:2] + "/" + name[2:4] + "/" + name
}

// releaseOf reads a manifest with cargo.
func releaseOf(t testing.TB, manifest string, packed []byte) release {
	t.Helper()
	command := exec.CommandContext(t.Context(), "cargo", "metadata", "--no-deps", "--offline", "--format-version=1", "--manifest-path", manifest)
	command.Stderr = os.Stderr
	text, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var metadata struct {
		Packages []struct {
			Name, Version string
			Features      map[string][]string
			Dependencies  []struct {
				Name, Req            string
				Kind, Rename, Target *string
				Optional             bool
				Default              bool `json:"uses_default_features"`
				Features             []string
			}
		}
	}
	if err := json.Unmarshal(text, &metadata); err != nil || len(metadata.Packages) != 1 {
		t.Fatalf("cargo metadata of %s: %.300s, %v", manifest, text, err)
	}
	p := metadata.Packages[0]
	sum := sha256.Sum256(packed)
	one := release{Name: p.Name, Version: p.Version, Dependencies: []dependency{}, Checksum: hex.EncodeToString(sum[:]), Features: p.Features, Format: 2}
	for _, d := range p.Dependencies {
		if d.Kind != nil && *d.Kind == "dev" {
			continue
		}
		entry := dependency{
			Name: d.Name, Wanted: d.Req, Features: d.Features, Optional: d.Optional, Default: d.Default, Target: d.Target, Kind: "normal",
		}
		if d.Kind != nil {
			entry.Kind = *d.Kind
		}
		if d.Rename != nil {
			entry.Name, entry.Package = *d.Rename, d.Name
		}
		one.Dependencies = append(one.Dependencies, entry)
	}
	return one
}

// pack packs a crate as registries do.
func pack(t testing.TB, dir string) []byte {
	t.Helper()
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	archive := tar.NewWriter(compressed)
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(filepath.Dir(dir), path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Name: filepath.ToSlash(name), Mode: 0o644, Size: int64(len(text))}); err != nil {
			return err
		}
		_, err = archive.Write(text)
		return err
	})
	if err == nil {
		err = archive.Close()
	}
	if err == nil {
		err = compressed.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}
