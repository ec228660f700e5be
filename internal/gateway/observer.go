package gateway

import (
	"net/http"
	"time"
)

// An Observer is notified of every call, during the call: its methods must be fast. An
// Outcome contains no tokens or secret keys.
type Observer interface {
	// Begin is called before the call is admitted. It returns the request to continue with:
	// r, or r with another context.
	Begin(r *http.Request) *http.Request
	// End is called after the call with the request that Begin returned.
	End(r *http.Request, o Outcome)
}

// An Outcome describes a completed call.
type Outcome struct {
	RequestID string
	// FunctionID and NamespaceID are empty if no function has the hostname.
	FunctionID  string
	NamespaceID string
	// Method is the method of the request, and Path the escaped path that the function
	// receives, without the query; empty if no function has the hostname.
	Method, Path string
	// Status is the status of the answer; zero if the call ended without one.
	Status int
	// Private means that the call needed a credential. Reason is why it was denied; empty
	// if it was admitted. TokenID or AccessKey identifies the credential, if it is known.
	Private   bool
	Reason    string
	TokenID   string
	AccessKey string
	// InstanceID is empty if no instance served the call.
	InstanceID string
	// Cold means that the call waited for the start of its instance.
	Cold bool
	// Home is the name of the node that has served the call, empty if it is this one. Retries
	// counts how often the call was forwarded again, and Misdirected means that another node
	// has forwarded it to this one by mistake, and forwards it again.
	Home        string
	Retries     int
	Misdirected bool
	// Failure is why the function did not answer the call; nil if it did.
	Failure error
	// Began, Decided, Acquired and Ended are the times at which the call arrived, was
	// admitted or denied, got an instance, and ended. Decided is zero for a public
	// function, and Acquired for a call without an instance.
	Began, Decided, Acquired, Ended time.Time
}

// Waited returns how long the call waited for its instance.
func (o Outcome) Waited() time.Duration {
	switch {
	case o.Acquired.IsZero():
		return 0
	case o.Decided.IsZero():
		return o.Acquired.Sub(o.Began)
	}
	return o.Acquired.Sub(o.Decided)
}

// outcome returns the outcome of a call that has just ended.
func (g *Gateway) outcome(c *call, method string, status int) Outcome {
	o := Outcome{
		RequestID: c.requestID, FunctionID: c.to.functionID, NamespaceID: c.to.namespaceID, Method: method, Path: c.path, Status: status,
		Private: c.to.private && !c.internal, Reason: string(c.admission.reason),
		TokenID: c.admission.tokenID(), AccessKey: c.admission.accessKey, Failure: c.failure,
		Began: c.began, Decided: c.decided, Acquired: c.acquired, Ended: g.config.Now(),
	}
	if c.clientDisconnected {
		// The client has not received the recorded answer.
		o.Status = 0
	}
	if c.hop != nil {
		o.Home, o.Retries = c.hop.node, c.hop.retries
	}
	o.Misdirected = c.misdirected
	if c.instance != nil {
		o.InstanceID, o.Cold = c.instance.ID, c.cold
	}
	return o
}
