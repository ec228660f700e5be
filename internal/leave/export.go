package leave

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// ExportConfig has the parts of an export. Sources and To are required.
type ExportConfig struct {
	// Sources are read one after the other. A namespace that several of them contain is
	// written once.
	Sources []*Source
	// To receives a gzipped tar archive.
	To  io.Writer
	Now time.Time
	// Progress is as in RunnerConfig.
	Progress func(step string, done, total int)
}

// An Exported counts what an export has written.
type Exported struct{ Namespaces, Functions, Archives, Tokens int }

// stepExport is the step of Export.
const stepExport = "export functions"

// Export writes everything that the sources contain: a Terraform configuration with import
// blocks, the code of the functions, and the objects as JSON. Values of secret variables
// and texts of tokens are not readable and not in it.
func Export(ctx context.Context, c ExportConfig) (Exported, error) {
	if len(c.Sources) == 0 || c.To == nil {
		return Exported{}, errors.New("configure the export: Sources and To are required")
	}
	if c.Progress == nil {
		c.Progress = func(string, int, int) {}
	}
	compressed := gzip.NewWriter(c.To)
	x := &exporting{ExportConfig: c, archive: tar.NewWriter(compressed), seen: map[string]bool{}}
	for _, s := range c.Sources {
		if err := x.source(ctx, s); err != nil {
			return x.counts, err
		}
	}
	if err := x.rest(); err != nil {
		return x.counts, err
	}
	return x.counts, errors.Join(x.archive.Close(), compressed.Close())
}

type exporting struct {
	ExportConfig

	archive *tar.Writer
	seen    map[string]bool
	all     []*Namespace
	code    map[string]string
	counts  Exported
}

// source reads a source and writes the code of its functions.
func (x *exporting) source(ctx context.Context, s *Source) error {
	account, err := s.Read(ctx, nil)
	if err != nil {
		return err
	}
	if x.code == nil {
		x.code = map[string]string{}
	}
	total, done := 0, 0
	for _, n := range account.Namespaces {
		total += len(n.Functions)
	}
	for _, n := range account.Namespaces {
		if n.Err != nil {
			return fmt.Errorf("read namespace %s: %w", n.Name, n.Err)
		}
		if x.seen[n.ID] {
			continue
		}
		x.seen[n.ID] = true
		x.all = append(x.all, n)
		for _, f := range n.Functions {
			if err := x.writeCode(ctx, s, n, f); err != nil {
				return fmt.Errorf("code of function %s of namespace %s: %w", f.Name, n.Name, err)
			}
			done++
			x.Progress(stepExport, done, total)
		}
		x.counts.Namespaces, x.counts.Functions, x.counts.Tokens = x.counts.Namespaces+1, x.counts.Functions+len(n.Functions), x.counts.Tokens+len(n.Tokens)
	}
	return nil
}

func (x *exporting) writeCode(ctx context.Context, s *Source, n *Namespace, f *Function) error {
	code, err := s.Code(ctx, f)
	if errors.Is(err, ErrNoCode) {
		return nil
	}
	if err != nil {
		return err
	}
	defer discard(code)
	info, err := code.Stat()
	if err != nil {
		return err
	}
	// The names of namespaces and functions have no characters that are special in paths.
	name := fmt.Sprintf("code/%s/%s-%s.zip", n.ID, f.Name, f.ID)
	if err := x.header(name, info.Size()); err != nil {
		return err
	}
	x.code[f.ID] = name
	x.counts.Archives++
	_, err = io.Copy(x.archive, code)
	return err
}

func (x *exporting) header(name string, size int64) error {
	return x.archive.WriteHeader(&tar.Header{Name: "jeton-export/" + name, Mode: 0o600, Size: size, ModTime: x.Now, Format: tar.FormatPAX})
}

func (x *exporting) file(name, content string) error {
	if err := x.header(name, int64(len(content))); err != nil {
		return err
	}
	_, err := io.WriteString(x.archive, content)
	return err
}

// rest writes the configuration and the objects.
func (x *exporting) rest() error {
	c := newConfiguration(x.all)
	for _, n := range x.all {
		c.namespace(n, x.code)
	}
	type exportedFunction struct {
		*Function
		Code string `json:"code,omitempty"`
	}
	type exportedNamespace struct {
		*Namespace
		Functions []exportedFunction
	}
	var all []exportedNamespace
	for _, n := range x.all {
		one := exportedNamespace{Namespace: n}
		for _, f := range n.Functions {
			one.Functions = append(one.Functions, exportedFunction{f, x.code[f.ID]})
		}
		all = append(all, one)
	}
	objects, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	declaration, example := c.variables()
	files := []struct{ name, content string }{
		{"README.md", readme}, {"versions.tf", versions}, {"functions.tf", c.text.String()}, {"objects.json", string(objects)},
	}
	if declaration != "" {
		files = append(files, []struct{ name, content string }{{"variables.tf", declaration}, {"secrets.auto.tfvars.example", example}}...)
	}
	for _, f := range files {
		if err := x.file(f.name, f.content); err != nil {
			return err
		}
	}
	return nil
}

const versions = `terraform {
  required_version = ">= 1.5"
  required_providers {
    scaleway = {
      # For Scaleway itself, and for this provider's resources: "scaleway/scaleway".
      source = "jeton-dev/scaleway"
    }
  }
}
`

const readme = `# Export of Jeton

- functions.tf: all namespaces, functions, tokens, crons, triggers and domains, with import blocks (Terraform 1.5 or OpenTofu).
- code/: the code of the functions, as uploaded.
- objects.json: the same objects as the API returns them.
- secrets.auto.tfvars.example: the names of the secret variables. Values cannot be read; copy the file to
  secrets.auto.tfvars and fill them in.

To manage the exported server with this configuration, set the SCW_* variables for it and run "terraform init" and
"terraform apply", which imports all objects and replaces none. To create everything elsewhere, remove the import blocks
and the project IDs. The texts of tokens cannot be read: new tokens are created there.
`

// create creates the file of an export, which must not exist.
func create(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// ExportFile writes an export to a new file, and removes the file after an error.
func ExportFile(ctx context.Context, path string, c ExportConfig) (Exported, error) {
	file, err := create(path)
	if err != nil {
		return Exported{}, err
	}
	c.To = file
	counts, err := Export(ctx, c)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		_ = os.Remove(path)
	}
	return counts, err
}
