// Package kubernetes is the engine whose instances are Pods of a Kubernetes cluster. The engine
// is the controller of its Pods: it creates bare Pods, connects to the agent in each, verifies
// with the token of the Pod that it is the agent of that Pod, sends one order, and deletes the Pod
// when the instance has ended or the connection is lost. A Pod serves one function for life.
//
// It requires the permissions create, get, list, watch, patch and delete for Pods of one namespace.
package kubernetes
