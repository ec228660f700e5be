package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// maxConfig bounds a configuration file, in bytes.
const maxConfig = 1 << 20

// configPaths are the files that are read without being named.
func configPaths() []string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return nil
	}
	return []string{filepath.Join(dir, "jeton", "jeton.yaml")}
}

// settings are the flags that a configuration file sets, by their names.
type settings map[string]any

// loadYAML implements kong.ConfigurationLoader.
func loadYAML(r io.Reader) (kong.Resolver, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxConfig {
		return nil, fmt.Errorf("configuration file is larger than %d bytes", maxConfig)
	}
	found := settings{}
	if err := yaml.Unmarshal(content, &found); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	return found, nil
}

// Validate refuses what is no flag: it would be passed over in silence.
func (s settings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	_ = kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known[flag.Name] = true
		}
		return next(nil)
	})
	for name := range s {
		if !known[name] {
			return fmt.Errorf("configuration file: there is no setting %q", name)
		}
	}
	return nil
}

// Resolve implements kong.Resolver. The environment wins over the file: it is
// nearer to who starts the program.
func (s settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	value, ok := s[flag.Name]
	if !ok {
		return nil, nil
	}
	return fmt.Sprint(value), nil
}
