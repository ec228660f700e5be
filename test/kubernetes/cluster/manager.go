//go:build linux

package cluster

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/jeton-dev/jeton/test/await"
)

// A manager starts the parts of the cluster, from inside.
type manager struct {
	*Cluster
	config  *Config
	started time.Time
}

// runManager starts the cluster, and then runs until it is killed.
func (c *Cluster) runManager() error {
	config, err := readConfig(c.dir)
	if err != nil {
		return err
	}
	m := &manager{Cluster: c, config: config, started: time.Now()}
	ctx, cancel := context.WithTimeoutCause(context.Background(), await.Patience, errors.New("the start takes too long"))
	defer cancel()
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"network", m.network},
		{"credentials", m.credentials},
		{"etcd and API server start", m.startServers},
		{"containerd", m.startContainerd},
		{"images imported", m.importImages},
		{"API ready", m.awaitAPI},
		{"controllers and kubelet start", m.startClients},
		{"node ready", m.awaitNode},
		{"Services reachable", m.startProxy},
		{"network policies start", m.startRouter},
	} {
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Fprintf(os.Stderr, "%6.2f s %s\n", time.Since(m.started).Seconds(), step.name)
	}
	if err := os.WriteFile(m.path(readyFile), nil, 0o644); err != nil {
		return err
	}
	select {}
}

// network sets up the addresses of the node, and a route for those of Services, which kube-proxy
// replaces only in packets that have one. The kernel of the test machines has no dummy devices; a
// bridge without ports serves.
func (m *manager) network(context.Context) error {
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	node := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "node0"}}
	if err := errors.Join(netlink.LinkSetUp(loopback), netlink.LinkAdd(node)); err != nil {
		return err
	}
	address := &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(NodeIP), Mask: net.CIDRMask(32, 32)}}
	_, services, err := net.ParseCIDR(ServiceCIDR)
	if err != nil {
		return err
	}
	route := &netlink.Route{LinkIndex: node.Index, Dst: services, Scope: netlink.SCOPE_LINK}
	if err := errors.Join(netlink.AddrAdd(node, address), netlink.LinkSetUp(node), netlink.RouteAdd(route)); err != nil {
		return err
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0)
}

// users are the clients of the API server: name, user, groups. The token is the name.
var users = [][3]string{
	{"admin", "admin", "system:masters"},
	{"scheduler", "system:kube-scheduler", ""},
	{"manager", "system:kube-controller-manager", ""},
	{"proxy", "system:kube-proxy", ""},
	{"node", "system:node:" + NodeName, "system:nodes"},
}

// credentials creates the key of service accounts, the users, and their configurations.
func (m *manager) credentials(context.Context) error {
	if err := os.MkdirAll(m.path("pki"), 0o700); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(m.path("pki/sa.key"), block, 0o600); err != nil {
		return err
	}
	var tokens bytes.Buffer
	for i, u := range users {
		fmt.Fprintf(&tokens, "%s,%s,%d,%q\n", u[0], u[1], i, u[2])
		config := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: u, user: {token: %s}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
`, apiServer, m.path("pki/apiserver.crt"), u[0])
		if err := os.WriteFile(m.path(u[0]+".kubeconfig"), []byte(config), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(m.path("pki/tokens.csv"), tokens.Bytes(), 0o600)
}

// kubectl runs kubectl as the administrator and returns its standard output.
func (m *manager) kubectl(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, filepath.Join(m.path(binDir), "kubectl"), append([]string{"--kubeconfig", m.path(kubeconfigFile)}, args...)...)
	output, err := command.Output()
	return string(output), err
}

func (m *manager) awaitAPI(ctx context.Context) error {
	return await.Until(ctx, "the API server is ready", func() bool {
		output, err := m.kubectl(ctx, "get", "--raw", "/readyz")
		return err == nil && output == "ok"
	})
}

// awaitNode waits for the node and for the default service account, which Pods need.
func (m *manager) awaitNode(ctx context.Context) error {
	return await.Until(ctx, "the node is ready", func() bool {
		const condition = `jsonpath={.status.conditions[?(@.type=="Ready")].status}`
		status, err := m.kubectl(ctx, "get", "node", NodeName, "-o", condition)
		if err != nil || status != "True" {
			return false
		}
		_, err = m.kubectl(ctx, "get", "serviceaccount", "default")
		return err == nil
	})
}

// start starts a part and restarts it whenever it ends, unless it is held. A part that ends
// before the cluster is ready ends the manager.
func (m *manager) start(name string, args ...string) {
	go func() {
		for {
			err := m.run(name, args)
			fmt.Fprintf(os.Stderr, "%s has ended: %v\n", name, err)
			if !m.has(readyFile) {
				m.fail(fmt.Errorf("%s ended: %w", name, err))
			}
			_ = await.Until(context.Background(), name+" is released", func() bool { return !m.has(heldFile(name)) })
		}
	}()
}

// run runs a part once. Its process ID is in a file while it runs.
func (m *manager) run(name string, args []string) error {
	log, err := os.OpenFile(m.path(filepath.Join("log", name+".log")), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	program := filepath.Join(m.path(binDir), name)
	switch name {
	case "containerd":
		program = name
	case "kube-router":
		program = m.config.Router
	}
	command := exec.Command(program, args...)
	command.Dir, command.Stdout, command.Stderr = m.dir, log, log
	if err := command.Start(); err != nil {
		return err
	}
	file := m.path(processFile(name))
	if err := os.WriteFile(file, []byte(strconv.Itoa(command.Process.Pid)), 0o644); err != nil {
		return errors.Join(err, command.Process.Kill(), command.Wait())
	}
	err = command.Wait()
	return errors.Join(err, os.Remove(file))
}

func (m *manager) fail(err error) {
	_ = os.WriteFile(m.path(failedFile), []byte(err.Error()), 0o644)
	os.Exit(1)
}
