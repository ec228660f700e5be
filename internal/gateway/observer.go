package gateway

import (
	"net/http"
	"time"
)

// An Observer watches the calls. It runs on the way of every call, so it must
// be quick; no token is among what it is told.
type Observer interface {
	// Begin is told of a call before anything is decided about it, and returns
	// the request to go on with: the same one, or one with another context.
	Begin(r *http.Request) *http.Request
	// End is told of a call that is over, with the request that Begin returned.
	End(r *http.Request, o Outcome)
}

// An Outcome is what became of a call.
type Outcome struct {
	RequestID string
	// FunctionID and NamespaceID are empty where no function has the host that
	// was called.
	FunctionID  string
	NamespaceID string
	// Status is that of the answer; zero if the call ended without one.
	Status int
	// Private tells whether the caller was asked for a token. Reason says why the
	// call was refused, and is empty where it was admitted; TokenID or
	// AccessKey names what was presented, as far as it is known.
	Private   bool
	Reason    string
	TokenID   string
	AccessKey string
	// InstanceID is empty where the call got no instance.
	InstanceID string
	// Failure is why the call was not answered by the function.
	Failure error
	// Began, Decided, Acquired and Ended are when the call came, was admitted
	// or refused, got an instance, and was over. Decided is zero for a public
	// function, Acquired where the call got no instance.
	Began, Decided, Acquired, Ended time.Time
}

// Waited is how long the call waited for its instance.
func (o Outcome) Waited() time.Duration {
	switch {
	case o.Acquired.IsZero():
		return 0
	case o.Decided.IsZero():
		return o.Acquired.Sub(o.Began)
	}
	return o.Acquired.Sub(o.Decided)
}

// outcome is what there is to tell of a call that is over now.
func (g *Gateway) outcome(c *call, status int) Outcome {
	o := Outcome{
		RequestID: c.requestID, FunctionID: c.to.functionID, NamespaceID: c.to.namespaceID, Status: status,
		Private: c.to.private && !c.inside, Reason: string(c.admission.reason),
		TokenID: c.admission.tokenID(), AccessKey: c.admission.accessKey, Failure: c.failure,
		Began: c.began, Decided: c.decided, Acquired: c.acquired, Ended: g.Now(),
	}
	if c.left {
		// What was written then is no fault of the function's.
		o.Status = 0
	}
	if c.instance != nil {
		o.InstanceID = c.instance.ID
	}
	return o
}
