// Package agent has the two programs that run in the Pod of an instance. The agent is the only
// one with the Pod's token: it accepts connections of the node that made the Pod, proves which
// Pod it is in, and passes frames and calls on. The launcher runs in the container of the
// function: it waits for one order, starts the function, and reports its output and its end. The
// launcher has no credentials, since the function runs with the same permissions.
package agent
