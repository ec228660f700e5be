package kubernetes

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"github.com/go-jose/go-jose/v4"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/jeton-dev/jeton/internal/agent/wire"
	"github.com/jeton-dev/jeton/internal/engine/printed"
)

// The defaults of Config.
const (
	// DefaultReadyTimeout is the time that an instance has to listen after it has received its
	// order.
	DefaultReadyTimeout = 10 * time.Second
	// DefaultPodTimeout is the time that a new Pod has to be scheduled, started and connected to.
	DefaultPodTimeout = 2 * time.Minute
	// DefaultMachineTimeout is the time that a machine has to report a new Pod that it was assigned.
	DefaultMachineTimeout = 30 * time.Second
	// DefaultGrace is the time that an instance without a call gets to shut down.
	DefaultGrace = 5 * time.Second
	// DefaultTermination is the time that the calls of an instance get when Kubernetes ends its Pod: the
	// default timeout of functions.
	DefaultTermination = 5 * time.Minute
	// DefaultBuildMemory is in megabytes, DefaultBuildCPU in thousandths.
	DefaultBuildMemory = 2048
	DefaultBuildCPU    = 2000
)

// Artifacts provides built code on this machine.
type Artifacts interface {
	// Local returns the absolute path of the folder of a function's artifact, which exists until
	// release is called.
	Local(ctx context.Context, functionID, artifact string) (dir string, release func(), err error)
}

// Config configures an Engine. Pods, Keys, Namespace, Installation, Node, Image, Language, Artifacts
// and Log are required; another zero field means its default.
type Config struct {
	// Pods is the API of the namespace. Namespace is its name.
	Pods      corev1.PodInterface
	Namespace string
	// Keys returns the keys with which the API server signs the tokens of Pods.
	Keys func(ctx context.Context) (*jose.JSONWebKeySet, error)
	// Owner is the object that owns all Pods, so that Kubernetes deletes them with it: the Pod of
	// this node. Nil means none.
	Owner *metav1.OwnerReference
	// Installation and Node identify the installation and the node in it. Both are valid values of
	// labels.
	Installation, Node string
	// Members returns the nodes of the installation, as Node. Pods of other nodes are deleted if
	// Sweeps returns true. Nil means that this node is the only one.
	Members func() []string
	Sweeps  func() bool
	// Image returns the image for a language.
	Image func(language string) string
	// Language returns the language of a runtime.
	Language func(runtime string) (string, bool)
	// ServiceAccount is the service account of Pods; empty for the default of the namespace.
	// RuntimeClass is their RuntimeClass; empty for the default of the cluster. PullSecrets are the
	// Secrets with the credentials of the registry.
	ServiceAccount, RuntimeClass string
	PullSecrets                  []string
	// Canary is an address that Pods must not reach before they receive an order; empty for none.
	Canary string
	// Disk is the size of the home folder and of /tmp of an instance, in bytes; 0 for no limit.
	Disk int64
	// BuildMemory is the memory limit of builds in megabytes, BuildCPU their CPU limit in thousandths,
	// and BuildDisk the size of their folders in bytes; 0 means a default or, for the disk, no limit.
	BuildMemory, BuildCPU int
	BuildDisk             int64
	// Port is the TCP port of agents.
	Port int
	// Artifacts provides the code of instances.
	Artifacts                       Artifacts
	ReadyTimeout, PodTimeout, Grace time.Duration
	MachineTimeout                  time.Duration
	// Termination is the grace period of Pods, in whole seconds.
	Termination time.Duration
	// NewID returns the ID of an instance or Pod: unique, at most 20 lower-case letters and digits.
	NewID func() string
	Now   func() time.Time
	// Cause returns a parser that extracts the cause of a crash from the standard error of a
	// language's programs.
	Cause    func(language string) printed.Cause
	WarmPool WarmPool
	Log      *slog.Logger
}

// WarmPool configures the Pods that wait for a function. The zero value keeps none.
type WarmPool struct {
	// Min is the number of warm Pods of each kind that functions use, and Max the number up to which
	// demand raises it.
	Min, Max int
	// Memory bounds the memory limits of the warm Pods of all nodes together, in bytes.
	Memory int64
}

func (c Config) orDefaults() (Config, error) {
	if c.Pods == nil || c.Keys == nil || c.Namespace == "" || c.Installation == "" || c.Node == "" ||
		c.Image == nil || c.Language == nil || c.Artifacts == nil || c.Log == nil {
		return c, errors.New("kubernetes engine: Pods, Keys, Namespace, Installation, Node, Image, Language, Artifacts and Log are required")
	}
	setDuration(&c.ReadyTimeout, DefaultReadyTimeout)
	setDuration(&c.PodTimeout, DefaultPodTimeout)
	setDuration(&c.MachineTimeout, DefaultMachineTimeout)
	setDuration(&c.Grace, DefaultGrace)
	setDuration(&c.Termination, DefaultTermination)
	c.Port = cmp.Or(c.Port, wire.Port)
	c.BuildMemory, c.BuildCPU = cmp.Or(c.BuildMemory, DefaultBuildMemory), cmp.Or(c.BuildCPU, DefaultBuildCPU)
	if c.NewID == nil {
		c.NewID = randomID
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Cause == nil {
		c.Cause = func(string) printed.Cause { return new(printed.LastLine) }
	}
	if c.Members == nil {
		c.Members = func() []string { return []string{c.Node} }
	}
	if c.Sweeps == nil {
		c.Sweeps = func() bool { return true }
	}
	return c, nil
}

func setDuration(d *time.Duration, fallback time.Duration) {
	if *d == 0 {
		*d = fallback
	}
}

func randomID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // It never fails: see its documentation.
	return "i" + hex.EncodeToString(id[:])
}
