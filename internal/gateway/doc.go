// Package gateway receives calls of functions: it finds the function by hostname, admits or
// denies the call, waits for an instance and forwards the call to it. It keeps its routing and
// admission data in memory, applies the changes of the control plane to it, and sends no
// request to the control plane or a database during a call.
package gateway
