package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is the release; the linker sets it.
var version = ""

// versionCommand prints the version.
type versionCommand struct{}

// Run prints the release, or the commit from which the program was built.
func (versionCommand) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, versionLine())
	return err
}

func versionLine() string {
	return fmt.Sprintf("jeton %s (%s, %s/%s)", currentVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func currentVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return "0.0.0-" + setting.Value[:min(len(setting.Value), 12)]
		}
	}
	return "0.0.0-dev"
}
