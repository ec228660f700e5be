package main

import (
	"archive/zip"
	"os"
	"path/filepath"
)

// copyExample copies an example out of the checkout, where nothing is written.
func (d *demo) copyExample(name string) error {
	return os.CopyFS(d.path(name), os.DirFS(filepath.Join(d.root, "examples", name)))
}

// zipFolder packs the content of a folder.
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
