//go:build linux

// Package cluster runs a Kubernetes of one node for tests: etcd, the control plane, containerd,
// a kubelet and kube-proxy, in network, mount, process and cgroup namespaces of their own. All processes,
// mounts and addresses exist only inside, and end with one process. Tests run inside too,
// since they dial Pods.
//
// Three processes of this program start the cluster: the supervisor, outside, which owns the
// cgroups; process 1 of the namespaces, which reaps; and the manager, which starts the parts
// and restarts those that end.
package cluster
