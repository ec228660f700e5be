package main

import (
	"archive/zip"
	"os"
	"path/filepath"
)

// copyExample copies an example to the demo's folder. The demo does not write to the
// checkout.
func (d *demo) copyExample(name string) error {
	return os.CopyFS(d.path(name), os.DirFS(filepath.Join(d.root, "examples", name)))
}

// zipFolder writes the content of a folder to a zip archive.
func zipFolder(folder, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	if err := archive.AddFS(os.DirFS(folder)); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return file.Close()
}
