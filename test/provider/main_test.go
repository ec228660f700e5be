// Package provider_test runs real Terraform with the provider against a real
// server.
package provider_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/s3server"
)

// commandLine is the path of terraform or tofu.
var commandLine string

// workFolder is a folder that all tests share.
var workFolder string

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == callerProgram {
		if err := callFunction(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(run(m))
}

// run runs the tests without the machine's configuration of Terraform and Scaleway.
func run(m *testing.M) int {
	var err error
	if commandLine, err = exec.LookPath(cmp.Or(os.Getenv("JETON_TEST_CLI"), "terraform")); err != nil {
		if commandLine, err = exec.LookPath("tofu"); err != nil {
			fmt.Fprintln(os.Stderr, "these tests need terraform or tofu in the PATH")
			return 1
		}
	}
	dir, err := os.MkdirTemp("", "provider-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	workFolder = dir
	commandLineConfig := filepath.Join(dir, "empty.tfrc")
	if err := os.WriteFile(commandLineConfig, nil, 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "SCW_") || strings.HasPrefix(name, "SCALEWAY_") || strings.HasPrefix(name, "TF_") {
			_ = os.Unsetenv(name)
		}
	}
	for name, value := range map[string]string{
		"TF_ACC_TERRAFORM_PATH": commandLine,
		"TF_CLI_CONFIG_FILE":    commandLineConfig,
		"CHECKPOINT_DISABLE":    "1",
		"SCW_CONFIG_PATH":       filepath.Join(dir, "no-config.yaml"),
	} {
		_ = os.Setenv(name, value)
	}
	if version, _ := exec.Command(commandLine, "version").Output(); strings.HasPrefix(string(version), "OpenTofu") {
		// The test framework reads the registry's host from this variable.
		_ = os.Setenv("TF_ACC_PROVIDER_HOST", "registry.opentofu.org")
	}
	code := m.Run()
	if err := errors.Join(postgres.StopShared(), s3server.StopShared()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
