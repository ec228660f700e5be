//go:build linux

package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The addresses of the cluster, which exist only inside.
const (
	NodeName = "n1"
	// NodeIP is the address of the node and of the API server.
	NodeIP = "192.0.2.1"
	// PodCIDR has the addresses of Pods.
	PodCIDR = "10.244.0.0/22"
	// ServiceCIDR has the addresses of Services.
	ServiceCIDR = "10.96.0.0/16"
	// apiService is the address of the Service kubernetes, the first of ServiceCIDR.
	apiService = "10.96.0.1:443"
	apiServer  = "https://" + NodeIP + ":6443"
	// PauseImage holds the namespaces of a Pod. An archive of Config.Images must have it.
	PauseImage = "jeton.test/pause:1"
)

// Config describes a cluster.
type Config struct {
	// Dir holds the state of the cluster. It must not be on an overlay file system.
	Dir string
	// Kube is the program of tools/kubernetes.
	Kube string
	// Router is the program of tools/kuberouter, which enforces network policies. Empty means
	// that nothing does.
	Router string
	// Images are archives of container images, which containerd imports at the start.
	Images []string
	// APIServer has more flags of the API server.
	APIServer []string
	// Detached is whether the cluster outlives the process that starts it.
	Detached bool
}

// required are the programs that the cluster runs, with their Debian packages.
var required = []struct{ program, debian string }{
	{"containerd", "containerd"},
	{"runc", "runc"},
	{"/usr/lib/cni/ptp", "containernetworking-plugins"},
	{"nsenter", "util-linux"},
	{"iptables", "iptables"},
	{"ipset", "ipset"},
}

func (c *Config) validate() error {
	if c.Dir == "" || c.Kube == "" || len(c.Images) == 0 {
		return errors.New("start cluster: Dir, Kube and Images are required")
	}
	if os.Geteuid() != 0 {
		return errors.New("start cluster: it creates namespaces and cgroups: run it as root")
	}
	var err error
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return err
	}
	if c.Kube, err = filepath.Abs(c.Kube); err != nil {
		return err
	}
	if _, err := os.Stat(c.Kube); err != nil {
		return fmt.Errorf("start cluster: %w: run make bin/kube", err)
	}
	if c.Router != "" {
		if c.Router, err = filepath.Abs(c.Router); err != nil {
			return err
		}
		if _, err := os.Stat(c.Router); err != nil {
			return fmt.Errorf("start cluster: %w: run make bin/kube-router", err)
		}
	}
	for i, image := range c.Images {
		if c.Images[i], err = filepath.Abs(image); err != nil {
			return err
		}
		if _, err := os.Stat(image); err != nil {
			return fmt.Errorf("start cluster: %w: run make images", err)
		}
	}
	for _, r := range required {
		if _, err := exec.LookPath(r.program); err != nil {
			return fmt.Errorf("start cluster: %w: install the Debian package %s", err, r.debian)
		}
	}
	return nil
}

const configFile = "config.json"

func (c *Config) write() error {
	content, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.Dir, configFile), content, 0o600)
}

func readConfig(dir string) (*Config, error) {
	content, err := os.ReadFile(filepath.Join(dir, configFile))
	if err != nil {
		return nil, err
	}
	c := new(Config)
	return c, json.Unmarshal(content, c)
}
