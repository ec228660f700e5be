// Package agent is the program beside a function in the Pod of an instance, and the only one with
// the Pod's token: it accepts connections of the node that made the Pod, proves which Pod it is in,
// and passes frames and calls on. It does not start functions: see launcher.
package agent
