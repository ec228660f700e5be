package live

import (
	"cmp"
	"errors"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// A Function is the summary of a function.
type Function struct {
	ID, ProjectID, NamespaceID, Name, Runtime, DomainName string

	Region  functions.Region
	Status  functions.Status
	Privacy functions.Privacy
	// Message is the error message, or the progress of the current build, at most
	// maxMessage bytes.
	Message   string
	UpdatedAt time.Time
	// Generation counts the deployments.
	Generation int64
}

// maxMessage is the maximum length of Function.Message.
const maxMessage = 400

// Config has the dependencies of a View. All fields are required.
type Config struct {
	Now func() time.Time
	// Streams is the maximum number of subscriptions, and KeyStreams that of one API
	// key.
	Streams, KeyStreams int
}

// A View is the state of all namespaces and functions in memory. It is safe for
// concurrent use.
type View struct {
	config Config

	mu          sync.RWMutex
	functions   map[string]Function
	namespaces  map[string]namespace
	deployments map[string][]Deployment
	revocations revocations
	hub         hub
}

// namespace is the summary of a namespace.
type namespace struct {
	name, projectID string
	region          functions.Region
}

// New returns an empty View. Returns an error if a required field is missing.
func New(c Config) (*View, error) {
	if c.Now == nil || c.Streams < 1 || c.KeyStreams < 1 {
		return nil, errors.New("configure live view: Now, Streams and KeyStreams are required")
	}
	return &View{
		config: c, functions: map[string]Function{}, namespaces: map[string]namespace{}, deployments: map[string][]Deployment{},
		revocations: newRevocations(), hub: newHub(c.Streams, c.KeyStreams),
	}, nil
}

// Apply implements store.Follower.
func (v *View) Apply(change store.Change) {
	v.mu.Lock()
	switch o := change.Object.(type) {
	case functions.Namespace:
		if change.Deleted {
			delete(v.namespaces, o.ID)
		} else {
			v.namespaces[o.ID] = namespace{o.Name, o.ProjectID, o.Region}
		}
	case functions.Function:
		v.applyFunction(o, change)
	case functions.Token:
		if change.Deleted {
			now := v.config.Now()
			v.revocations.add(Revocation{TokenID: o.ID, ProjectID: o.ProjectID, At: now, Took: took(change.CommittedAt, now)})
		}
	}
	v.mu.Unlock()
	v.hub.publish(eventOf(change))
	switch change.Object.(type) {
	case iam.APIKey, iam.Project:
		// What a subscriber may see can have changed.
		v.hub.wakeAll()
	}
}

// took returns the time from a commit until now. A clock that was set back results in 0.
func took(committed, now time.Time) time.Duration {
	if committed.IsZero() {
		return 0
	}
	return max(now.Sub(committed), 0)
}

func (v *View) applyFunction(f functions.Function, change store.Change) {
	if change.Deleted {
		delete(v.functions, f.ID)
		delete(v.deployments, f.ID)
		return
	}
	v.noteDeployment(f, cmp.Or(change.CommittedAt, v.config.Now()))
	v.functions[f.ID] = summaryOf(f)
}

func summaryOf(f functions.Function) Function {
	message := cmp.Or(f.ErrorMessage, f.BuildMessage)
	return Function{
		ID: f.ID, ProjectID: f.ProjectID, NamespaceID: f.NamespaceID, Name: f.Name, Runtime: f.Runtime, DomainName: f.DomainName,
		Region: f.Region, Status: f.Status, Privacy: f.Privacy, Message: shorten(message), UpdatedAt: f.UpdatedAt,
		Generation: f.Generation,
	}
}

// Reload implements store.Follower. Subscribers are asked to load everything again.
func (v *View) Reload(store.Position) store.Loader {
	all, namespaces := map[string]Function{}, map[string]namespace{}
	return store.Loader{
		Add: func(o store.Object) {
			switch o := o.(type) {
			case functions.Namespace:
				namespaces[o.ID] = namespace{o.Name, o.ProjectID, o.Region}
			case functions.Function:
				all[o.ID] = summaryOf(o)
			}
		},
		Swap: func() {
			v.mu.Lock()
			v.functions, v.namespaces = all, namespaces
			for id := range v.deployments {
				if _, exists := all[id]; !exists {
					delete(v.deployments, id)
				}
			}
			v.mu.Unlock()
			v.hub.resetAll()
		},
	}
}

// Function returns the summary of a function, and whether it exists.
func (v *View) Function(id string) (Function, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	f, ok := v.functions[id]
	return f, ok
}

// NamespaceName returns the name of a namespace, empty if it does not exist.
func (v *View) NamespaceName(id string) string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.namespaces[id].name
}
