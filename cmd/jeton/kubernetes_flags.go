package main

import "time"

// engineFlags select what runs instances and builds.
type engineFlags struct {
	// With kubernetes, instances and builds are Pods, and the flags --isolation and --egress* have no
	// effect. See docs/kubernetes.md.
	Engine string `config:"Engine" help:"What runs instances and builds: process or kubernetes." placeholder:"ENGINE"`
	// By default the server uses the credentials and the namespace of the Pod in which it runs.
	KubernetesKubeconfig string `config:"Kubernetes.Kubeconfig" help:"File with the API server and its credentials." placeholder:"FILE" example:"~/.kube/config"`
	KubernetesNamespace  string `config:"Kubernetes.Namespace" help:"Namespace of instances and builds." placeholder:"NAME" example:"jeton"`
	// Two installations that use one namespace have different names.
	KubernetesInstallation string `config:"Kubernetes.Installation" help:"Name of the installation, a label of all its Pods." placeholder:"NAME"`
	// Kubernetes deletes the Pods of functions and builds when it deletes this Pod.
	KubernetesPod string `config:"Kubernetes.Pod" help:"Name of the Pod in which the server runs." placeholder:"NAME" example:"jeton-0"`
	// {language} stands for node, python, php, go or rust, and {version} for the version of the server.
	KubernetesImage          string   `config:"Kubernetes.Image" help:"Image of instances and builds of a language." placeholder:"IMAGE"`
	KubernetesServiceAccount string   `config:"Kubernetes.ServiceAccount" help:"Service account of instances and builds." placeholder:"NAME" example:"jeton-function"`
	KubernetesRuntimeClass   string   `config:"Kubernetes.RuntimeClass" help:"RuntimeClass of instances and builds, such as gVisor's." placeholder:"NAME" example:"gvisor"`
	KubernetesPullSecrets    []string `config:"Kubernetes.PullSecrets" help:"Secrets with the credentials of the registry." placeholder:"NAME" example:"[registry]"`
	// The server listens at this address. A Pod receives code only when it cannot connect to it: then its
	// NetworkPolicy is in force.
	KubernetesCanary string `config:"Kubernetes.Canary" help:"Address of this server that NetworkPolicies forbid to instances." placeholder:"HOST:PORT" example:"10.0.0.1:8084"`
	// When a node of Kubernetes is drained, its instances get no more calls, and end after the present one.
	KubernetesTermination time.Duration `config:"Kubernetes.Termination" help:"Time for calls to end when Kubernetes ends their Pod." placeholder:"DURATION"`
	KubernetesBuildMemory int64         `config:"Kubernetes.BuildMemory" help:"Memory limit of a build in a Pod." placeholder:"BYTES"`
}
