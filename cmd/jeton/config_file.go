package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// maxConfig is the maximum size of a configuration file in bytes.
const maxConfig = 1 << 20

// configPaths returns the configuration files that are read by default.
func configPaths() []string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return nil
	}
	return []string{filepath.Join(dir, "jeton", "jeton.yaml")}
}

// configFiles returns the configuration files of a command line: the default ones, unless it or the
// environment names another one.
func configFiles(args []string) []string {
	if os.Getenv("JETON_CONFIG") != "" {
		return nil
	}
	for _, arg := range args {
		if arg == "--config" || strings.HasPrefix(arg, "--config=") {
			return nil
		}
	}
	return configPaths()
}

// settings are the values in a configuration file, by the name of the flag.
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
		return nil, fmt.Errorf("parse configuration file: %w", err)
	}
	return found, nil
}

// Validate returns an error if a key is not the name of a flag. Without it kong ignores
// unknown keys.
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
			return fmt.Errorf("configuration file: unknown key %q: use the name of a flag", name)
		}
	}
	return nil
}

// Resolve implements kong.Resolver. It returns nil for a flag that an environment
// variable sets: the environment takes precedence over the file. A list becomes text with
// commas, as on the command line.
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
	list, ok := value.([]any)
	if !ok {
		return fmt.Sprint(value), nil
	}
	items := make([]string, len(list))
	for i, item := range list {
		items[i] = fmt.Sprint(item)
	}
	return strings.Join(items, ","), nil
}
