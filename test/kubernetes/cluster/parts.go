//go:build linux

package cluster

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/test/await"
)

// startServers starts etcd and the API server. etcd does not sync: the tests kill processes,
// not the machine.
func (m *manager) startServers(context.Context) error {
	const etcd = "http://127.0.0.1:2379"
	m.start("etcd", "--data-dir", m.path("etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls", etcd, "--advertise-client-urls", etcd, "--listen-peer-urls", "http://127.0.0.1:2380")
	m.start("kube-apiserver", append([]string{
		"--etcd-servers=" + etcd, "--advertise-address=" + NodeIP, "--bind-address=0.0.0.0", "--secure-port=6443",
		"--cert-dir=" + m.path("pki"), "--token-auth-file=" + m.path("pki/tokens.csv"),
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + m.path("pki/sa.key"), "--service-account-signing-key-file=" + m.path("pki/sa.key"),
		"--service-cluster-ip-range=" + ServiceCIDR, "--kubelet-preferred-address-types=InternalIP",
		"--allow-privileged=true", "--profiling=false",
	}, m.config.APIServer...)...)
	return nil
}

// kubeletFile is the configuration of the kubelet.
const kubeletFile = "kubelet.yaml"

// startClients starts the scheduler, the controllers and the kubelet. Their own limits of
// requests are those of large clusters, so that tests measure Jeton's.
func (m *manager) startClients(context.Context) error {
	m.start("kube-scheduler", "--kubeconfig="+m.path("scheduler.kubeconfig"), "--leader-elect=false",
		"--bind-address=127.0.0.1", "--authentication-skip-lookup", "--profiling=false", "--kube-api-qps=500", "--kube-api-burst=1000")
	m.start("kube-controller-manager", "--kubeconfig="+m.path("manager.kubeconfig"), "--leader-elect=false",
		"--use-service-account-credentials", "--node-monitor-grace-period=24s", "--bind-address=127.0.0.1", "--authentication-skip-lookup", "--profiling=false",
		"--service-account-private-key-file="+m.path("pki/sa.key"), "--root-ca-file="+m.path("pki/apiserver.crt"),
		"--kube-api-qps=500", "--kube-api-burst=1000")
	if err := os.WriteFile(m.path(kubeletFile), []byte(m.expand(kubeletConfig)), 0o644); err != nil {
		return err
	}
	m.start("kubelet", "--kubeconfig="+m.path("node.kubeconfig"), "--config="+m.path(kubeletFile),
		"--root-dir="+m.path("kubelet"), "--cert-dir="+m.path("kubelet/pki"), "--hostname-override="+NodeName, "--node-ip="+NodeIP)
	return nil
}

// startProxy starts kube-proxy, and waits until the Service of the API server is reachable. It leaves
// the settings of the kernel unchanged. It comes before the router, whose rules must precede its own.
func (m *manager) startProxy(ctx context.Context) error {
	m.start("kube-proxy", "--kubeconfig="+m.path("proxy.kubeconfig"), "--proxy-mode=iptables", "--cluster-cidr="+PodCIDR,
		"--hostname-override="+NodeName, "--iptables-localhost-nodeports=false", "--conntrack-max-per-core=0",
		"--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0")
	return await.Until(ctx, "the Service of the API server is reachable", func() bool {
		conn, err := net.DialTimeout("tcp", apiService, time.Second)
		return err == nil && conn.Close() == nil
	})
}

// startRouter starts the firewall of kube-router, and none of its other functions.
func (m *manager) startRouter(context.Context) error {
	if m.config.Router == "" {
		return nil
	}
	m.start("kube-router", "--kubeconfig="+m.path(kubeconfigFile), "--run-firewall=true", "--run-router=false",
		"--run-service-proxy=false", "--run-loadbalancer=false", "--hostname-override="+NodeName,
		"--service-cluster-ip-range="+ServiceCIDR, "--health-port=0")
	return nil
}

// startContainerd starts containerd and waits until it answers.
func (m *manager) startContainerd(ctx context.Context) error {
	if err := os.MkdirAll(m.path("cni"), 0o755); err != nil {
		return err
	}
	for file, content := range map[string]string{"containerd.toml": containerdConfig, "cni/10-jeton.conflist": networkConfig} {
		if err := os.WriteFile(m.path(file), []byte(m.expand(content)), 0o644); err != nil {
			return err
		}
	}
	m.start("containerd", "--config", m.path("containerd.toml"))
	return await.Until(ctx, "containerd answers", func() bool { return ctr(ctx, "version") == nil })
}

func (m *manager) importImages(ctx context.Context) error {
	for _, image := range m.config.Images {
		if err := ctr(ctx, "-n", "k8s.io", "images", "import", image); err != nil {
			return err
		}
	}
	return nil
}

func ctr(ctx context.Context, args ...string) error {
	command := exec.CommandContext(ctx, "ctr", append([]string{"-a", "/run/containerd/containerd.sock"}, args...)...)
	command.Stderr = os.Stderr
	return command.Run()
}

func (m *manager) expand(text string) string {
	return strings.NewReplacer("$DIR", m.dir, "$NODE_IP", NodeIP, "$POD_CIDR", PodCIDR, "$PAUSE", PauseImage).Replace(text)
}

// containerdConfig is for machines without CAP_SYS_RESOURCE (restrict_oom_score_adj) and
// AppArmor.
const containerdConfig = `version = 2
root = "$DIR/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing",
]
[grpc]
address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "$PAUSE"
disable_apparmor = true
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "$DIR/cni"
`

// networkConfig routes between Pods, so that the node's packet filter sees all their packets.
const networkConfig = `{"cniVersion": "0.4.0", "name": "jeton", "plugins": [{"type": "ptp", "ipMasq": false,
 "ipam": {"type": "host-local", "dataDir": "/run/cni", "ranges": [[{"subnet": "$POD_CIDR"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
`

// kubeletConfig permits cgroup v1 and a machine that other programs use too. The loss of the machine is
// noticed sooner than by default.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
failSwapOn: false
failCgroupV1: false
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
address: $NODE_IP
resolvConf: ""
podLogsDir: $DIR/podlogs
volumePluginDir: $DIR/kubelet/volumeplugins
localStorageCapacityIsolation: true
volumeStatsAggPeriod: 10s
nodeLeaseDurationSeconds: 16
enforceNodeAllocatable: [pods]
evictionHard: {memory.available: 200Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
evictionPressureTransitionPeriod: 5s
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
serializeImagePulls: false
maxPods: 250
podPidsLimit: 380
kubeAPIQPS: 500
kubeAPIBurst: 1000
eventRecordQPS: 0
shutdownGracePeriod: 0s
`

func processFile(part string) string { return filepath.Join("pids", part) }
func heldFile(part string) string    { return filepath.Join("hold", part) }

// partID returns the ID of a part's process, as seen inside.
func (c *Cluster) partID(part string) (int, error) {
	content, err := os.ReadFile(c.path(processFile(part)))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(content))
}
