package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// officialVariable names the program of the official provider.
const officialVariable = "JETON_TF_OFFICIAL"

// officialProvider returns the path of the official provider, or "" if it is not installed: the
// program that the environment names, or else the newest version that terraform init has
// installed for the configuration.
func officialProvider(arguments []string) (string, error) {
	switch program := os.Getenv(officialVariable); program {
	case "":
	case "none":
		return "", nil
	default:
		if _, err := os.Stat(program); err != nil {
			return "", fmt.Errorf("find the official provider: %w: correct %s, or set it to none", err, officialVariable)
		}
		return filepath.Abs(program)
	}
	data := cmp.Or(os.Getenv("TF_DATA_DIR"), ".terraform")
	if !filepath.IsAbs(data) {
		data = filepath.Join(configurationDir(arguments), data)
	}
	pattern := filepath.Join(data, "providers", "registry.*.*", "scaleway", "scaleway", "*", runtime.GOOS+"_"+runtime.GOARCH, providerProgram+"*")
	installed, err := filepath.Glob(pattern)
	if err != nil || len(installed) == 0 {
		return "", err
	}
	version := func(path string) string { return "v" + filepath.Base(filepath.Dir(filepath.Dir(path))) }
	return filepath.Abs(slices.MaxFunc(installed, func(a, b string) int { return semver.Compare(version(a), version(b)) }))
}

// configurationDir returns the directory of the configuration that terraform uses.
func configurationDir(arguments []string) string {
	for _, argument := range arguments {
		if dir, ok := strings.CutPrefix(argument, "-chdir="); ok {
			return dir
		}
	}
	return "."
}

// block matches the first line of a block of a type of Scaleway.
var block = regexp.MustCompile(`(?m)^\s*(?:resource|data|ephemeral)\s+"(scaleway_\w+)"`)

// hintOfficial prints what to do if the configuration has resources that only the official
// provider serves.
func hintOfficial(arguments []string, errOut io.Writer) {
	files, _ := filepath.Glob(filepath.Join(configurationDir(arguments), "*.tf")) // The pattern is valid.
	var others []string
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for _, match := range block.FindAllSubmatch(content, -1) {
			if name := string(match[1]); !strings.HasPrefix(name, "scaleway_function") && !slices.Contains(others, name) {
				others = append(others, name)
			}
		}
	}
	if len(others) > 0 {
		slices.Sort(others)
		fmt.Fprintf(errOut, "jeton: only the official provider has %s: run 'terraform init' to install it, or name its program in %s\n",
			strings.Join(others, ", "), officialVariable)
	}
}
