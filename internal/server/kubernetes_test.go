package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/server"
)

func TestConfig_RefusesSettingsThatPodsCannotHave(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*server.Config){
		"":                        func(*server.Config) {},
		"engine is":               func(c *server.Config) { c.Engine = "docker" },
		"has no {language}":       func(c *server.Config) { c.Kubernetes.Image = "jeton:1" },
		"kubernetes-installation": func(c *server.Config) { c.Kubernetes.Installation = "a b" },
		"kubernetes-canary":       func(c *server.Config) { c.Kubernetes.Canary = "10.0.0.1" },
		"kubernetes-termination":  func(c *server.Config) { c.Kubernetes.Termination = time.Millisecond },
		"kubernetes-build-memory": func(c *server.Config) { c.Kubernetes.BuildMemory = 1 << 20 },
		"NetworkPolicies":         func(c *server.Config) { c.Egress = false },
		"disk-reserve":            func(c *server.Config) { c.DiskReserve = 1 },
		"crates is a directory":   func(c *server.Config) { c.Crates = "/var/lib/crates" },
		"share-rust-builds, go":   func(c *server.Config) { c.ShareRustBuilds = true },
		"image of their language": func(c *server.Config) { c.Toolchains = map[string]string{"go": "", "node": "/opt/node"} },
		"runtime-class":           func(c *server.Config) { c.Isolation = "full" },
	} {
		c := server.DefaultConfig(t.TempDir())
		c.Engine = server.KubernetesEngine
		change(&c)
		err := c.Validate()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() = %v, want %q", err, want)
		}
	}
}
