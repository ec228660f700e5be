package tree

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// Remove removes a file or a folder with its content, to any depth. It moves nested
// folders up before it removes them, so that it needs no long paths and few file
// descriptors. It returns nil if path does not exist.
func Remove(path string) error {
	parent, err := os.OpenRoot(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer parent.Close()
	return RemoveIn(parent, filepath.Base(path))
}

// RemoveIn removes the file or folder with a name in root, by the same rules.
func RemoveIn(root *os.Root, name string) error {
	info, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return root.Remove(name)
	}
	folder, err := root.OpenRoot(name)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := empty(folder); err != nil {
		return err
	}
	return root.Remove(name)
}

// empty removes the content of a folder. It empties each subfolder by moving the
// subfolder's own folders to root.
func empty(root *os.Root) error {
	top, err := newFolder(root, ".")
	if err != nil {
		return err
	}
	defer func() { _ = top.file.Close() }()
	var folders []string
	err = top.each(context.Background(), func(name string, info fs.FileInfo) error {
		if info.IsDir() {
			folders = append(folders, name)
			return nil
		}
		return top.Remove(name)
	})
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, name := range folders {
		taken[name] = true
	}
	next := 0
	for len(folders) > 0 {
		name := folders[len(folders)-1]
		folders = folders[:len(folders)-1]
		moved, err := flatten(root, name, func() string {
			for {
				next++
				if free := strconv.Itoa(next); !taken[free] {
					return free
				}
			}
		})
		folders = append(folders, moved...)
		if err != nil {
			return err
		}
	}
	return nil
}

// flatten removes the folder with a name in root, and moves its subfolders to root. It
// returns their new names, which come from free.
func flatten(root *os.Root, name string, free func() string) (moved []string, err error) {
	// The folder may lack permissions, which every user but root needs.
	if err := root.Chmod(name, 0o700); err != nil {
		return nil, err
	}
	parent := &folder{Root: root, name: "."}
	sub, err := openFolder(parent, name)
	if err != nil {
		return nil, err
	}
	err = sub.each(context.Background(), func(inner string, info fs.FileInfo) error {
		if !info.IsDir() {
			return sub.Remove(inner)
		}
		if err := sub.Chmod(inner, 0o700); err != nil {
			return err
		}
		to := free()
		if err := root.Rename(filepath.Join(name, inner), to); err != nil {
			return err
		}
		moved = append(moved, to)
		return nil
	})
	sub.close()
	if err != nil {
		return moved, err
	}
	return moved, root.Remove(name)
}
