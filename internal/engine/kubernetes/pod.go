package kubernetes

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The labels of Pods. All but LabelFunction are set when a Pod is created, so that network policies
// apply from then on. LabelFunction is added later, for operators.
const (
	LabelManagedBy    = "app.kubernetes.io/managed-by"
	LabelComponent    = "app.kubernetes.io/component"
	LabelInstallation = "jeton.dev/installation"
	LabelNode         = "jeton.dev/node"
	LabelEngine       = "jeton.dev/engine"
	LabelLanguage     = "jeton.dev/language"
	LabelMemory       = "jeton.dev/memory"
	LabelFunction     = "jeton.dev/function"
)

// The values of LabelComponent.
const (
	ComponentInstance = "instance"
	ComponentBuild    = "build"
)

// The containers of a Pod, and the folders in them.
const (
	agentContainer    = "agent"
	functionContainer = "function"

	sharedDir = "/run/jeton"
	tokenDir  = "/var/run/secrets/jeton.dev"
	// HomeDir is the folder of the artifact.
	HomeDir = "/home/app"
)

// Users of the containers. The launcher cannot change what the agent shares.
const (
	agentUser    = 64000
	functionUser = 65000
	sharedGroup  = 65000
)

const (
	// agentMemory is the memory limit of an agent in bytes, and agentCPU its request in thousandths
	// of a CPU.
	agentMemory = 128 << 20
	agentCPU    = 10
	// launcherMemory is added to the memory limit of a function, for the launcher.
	launcherMemory = 32 << 20
	// cpuOvercommit is the CPU limit of a function divided by its request: most instances are idle, as on
	// one machine.
	cpuOvercommit = 10
	// tokenSeconds is the lifetime of the token of a Pod. The kubelet renews it.
	tokenSeconds = 3600
	// patienceSeconds is how long an agent waits for its node.
	patienceSeconds = 300
)

// A kind is what Pods have in common that can serve the same functions.
type kind struct {
	component string
	language  string
	// memory is in megabytes, cpu in thousandths of a CPU.
	memory, cpu int
}

func (k kind) String() string {
	return fmt.Sprintf("%s of %s with %d MB", k.component, k.language, k.memory)
}

// containerMemory returns the memory limit of the function's container, in bytes.
func containerMemory(k kind) int64 { return int64(k.memory)<<20 + launcherMemory }

// bytes returns the memory limit of a Pod of the kind.
func (k kind) bytes() int64 { return containerMemory(k) + agentMemory }

// memoryOf returns the memory limit of a Pod in bytes.
func memoryOf(pod *corev1.Pod) int64 {
	megabytes, _ := strconv.Atoi(pod.Labels[LabelMemory]) // This engine has set it.
	return kind{memory: megabytes}.bytes()
}

// newPod returns a Pod of a kind that waits for an order.
func (e *Engine) newPod(k kind) *corev1.Pod {
	language := strings.ToLower(k.language)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "jeton-" + language + "-" + e.config.NewID(),
			Labels: map[string]string{
				LabelManagedBy: "jeton", LabelComponent: k.component, LabelInstallation: e.config.Installation,
				LabelNode: e.config.Node, LabelEngine: e.id, LabelLanguage: language,
				LabelMemory: strconv.Itoa(k.memory),
			},
			// The autoscaler of the cluster otherwise keeps nodes with Pods that no controller replaces.
			Annotations: map[string]string{"cluster-autoscaler.kubernetes.io/safe-to-evict": strconv.FormatBool(k.component == ComponentInstance)},
		},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: new(bool), EnableServiceLinks: new(bool),
			ServiceAccountName: e.config.ServiceAccount, TerminationGracePeriodSeconds: new(int64(e.config.Termination.Seconds())),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), FSGroup: new(int64(sharedGroup)),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Volumes: e.volumes(k),
			// The kubelet starts containers one after the other. The launcher takes longer, since its
			// CPU is limited; it waits for the agent.
			Containers: []corev1.Container{e.functionContainer(k), e.agentContainer(k)},
		},
	}
	if e.config.Owner != nil {
		pod.OwnerReferences = []metav1.OwnerReference{*e.config.Owner}
	}
	if e.config.RuntimeClass != "" {
		pod.Spec.RuntimeClassName = &e.config.RuntimeClass
	}
	for _, name := range e.config.PullSecrets {
		pod.Spec.ImagePullSecrets = append(pod.Spec.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
	return pod
}

func (e *Engine) volumes(k kind) []corev1.Volume {
	empty := func(name string, limit int64) corev1.Volume {
		source := &corev1.EmptyDirVolumeSource{}
		if limit > 0 {
			source.SizeLimit = resource.NewQuantity(limit, resource.BinarySI)
		}
		return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: source}}
	}
	token := corev1.Volume{Name: "token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{
			Audience: Audience, ExpirationSeconds: new(int64(tokenSeconds)), Path: "token",
		}}},
	}}}
	disk := e.config.Disk
	if k.component == ComponentBuild {
		disk = e.config.BuildDisk
	}
	return []corev1.Volume{empty("shared", 8<<20), empty("home", disk), empty("tmp", disk), token}
}

// agentContainer is the only container with the token.
func (e *Engine) agentContainer(k kind) corev1.Container {
	c := e.container(k, agentContainer, agentUser,
		"agent", "--dir="+sharedDir, "--home="+HomeDir, "--token="+tokenDir+"/token", "--node-key="+e.identity.Key(),
		fmt.Sprintf("--patience=%ds", patienceSeconds), "--language="+k.language)
	if e.config.Canary != "" {
		c.Args = append(c.Args, "--canary="+e.config.Canary)
	}
	c.Ports = []corev1.ContainerPort{{Name: "agent", ContainerPort: int32(e.config.Port)}}
	c.Resources = resources(agentMemory, agentCPU, 0)
	c.VolumeMounts = []corev1.VolumeMount{{Name: "shared", MountPath: sharedDir}, {Name: "home", MountPath: HomeDir}, {Name: "token", MountPath: tokenDir, ReadOnly: true}}
	return c
}

func (e *Engine) functionContainer(k kind) corev1.Container {
	c := e.container(k, functionContainer, functionUser,
		"agent", "launch", "--dir="+sharedDir, "--home="+HomeDir, "--temporary=/tmp", "--language="+k.language)
	c.Resources = resources(containerMemory(k), max(k.cpu/cpuOvercommit, 1), k.cpu)
	c.VolumeMounts = []corev1.VolumeMount{
		{Name: "shared", MountPath: sharedDir, ReadOnly: true}, {Name: "home", MountPath: HomeDir}, {Name: "tmp", MountPath: "/tmp"},
	}
	c.WorkingDir = HomeDir
	return c
}

// container returns a container with the least permissions.
func (e *Engine) container(k kind, name string, user int64, args ...string) corev1.Container {
	return corev1.Container{
		Name: name, Image: e.config.Image(k.language), Command: []string{"/usr/local/bin/jeton"}, Args: args,
		// Both programs collect garbage only after their start: see launch.CollectGarbage.
		Env:                      []corev1.EnvVar{{Name: "GOGC", Value: "off"}},
		TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		SecurityContext: &corev1.SecurityContext{
			RunAsUser: &user, RunAsGroup: new(int64(sharedGroup)), RunAsNonRoot: new(true),
			AllowPrivilegeEscalation: new(bool), ReadOnlyRootFilesystem: new(true), Privileged: new(bool),
			Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
}

// resources returns the limit and request of memory in bytes, and the request and limit of CPU in
// thousandths; 0 for no limit.
func resources(memory int64, cpu, cpuLimit int) corev1.ResourceRequirements {
	bytes := *resource.NewQuantity(memory, resource.BinarySI)
	r := corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceMemory: bytes, corev1.ResourceCPU: *resource.NewMilliQuantity(int64(cpu), resource.DecimalSI)},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: bytes},
	}
	if cpuLimit > 0 {
		r.Limits[corev1.ResourceCPU] = *resource.NewMilliQuantity(int64(cpuLimit), resource.DecimalSI)
	}
	return r
}
