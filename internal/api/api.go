package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/runtime"
)

// Directory says who has a secret key.
type Directory interface {
	// Authenticate returns the API key with that secret key, iam.ErrMalformed,
	// iam.ErrUnknown, or iam.ErrExpired together with the key.
	Authenticate(secretKey string, now time.Time) (iam.APIKey, error)
	// Recheck returns the API key with that access key, iam.ErrUnknown, or
	// iam.ErrExpired together with the key.
	Recheck(accessKey string, now time.Time) (iam.APIKey, error)
	// Project returns the project of an ID.
	Project(id string) iam.Project
	// Visible returns the IDs of all projects that a key opens; nil if that is its
	// default project alone.
	Visible(key iam.APIKey) []string
}

// Projects makes, changes and deletes projects.
type Projects interface {
	MakeProject(ctx context.Context, organization, name, description string) (iam.Project, error)
	UpdateProject(ctx context.Context, id string, name, description *string) (iam.Project, error)
	DeleteProject(ctx context.Context, id string) (iam.Project, error)
}

// API is the control plane's HTTP interface. All exported fields but URL, Trusted and
// Observer must be set.
type API struct {
	Service  *functions.Service
	Keys     Directory
	Projects Projects
	// Attempts counts the wrong keys, and the wrong signatures of addresses.
	Attempts *iam.Attempts
	Archives blob.Archives
	Runtimes []runtime.Runtime
	// Toolchain names what serves a language on this machine; empty if nothing
	// does.
	Toolchain func(language string) string
	// Logs has what functions print.
	Logs Logs
	// Stopping is closed when no request is to last any longer.
	Stopping <-chan struct{}
	// URLKey signs the URLs at which archives are uploaded.
	URLKey []byte
	// URL is the public URL of the API, without a slash at its end; empty for the one
	// by which each client has reached it.
	URL string
	// Trusted reports whether a proxy at an address is trusted in what it says of that
	// URL; nil trusts none.
	Trusted func(netip.Addr) bool
	// PublicKeys returns the key set that verifies all tokens, as JSON.
	PublicKeys func() []byte
	Now        func() time.Time
	NewID      func() string
	Log        *slog.Logger
	Observer   Observer

	reserved reservations
}

// base is the path below which every endpoint of the Functions API is.
const base = "/functions/v1beta1/regions/{region}"

// Handler returns the handler of the whole API.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, answer := range a.endpoints() {
		mux.Handle(pattern, a.endpoint(permissionFor(pattern), answer))
	}
	mux.HandleFunc("PUT "+archivePath, a.putArchive)
	mux.HandleFunc("GET "+archivePath, a.getArchive)
	mux.HandleFunc("GET /.well-known/jwks.json", a.getPublicKeys)
	mux.HandleFunc("GET /metadata", a.getMetadata)
	mux.HandleFunc("GET "+descriptionPath, a.getDescription)
	mux.HandleFunc("GET "+pagePath, a.getDescription)
	mux.HandleFunc("/", a.unknownRoute)
	return a.observe(a.recover(mux))
}

// An answer is one endpoint: what it returns is encoded as JSON.
type answer func(r *http.Request, scope functions.Scope) (any, error)

func (a *API) endpoints() map[string]answer {
	return map[string]answer{
		"GET " + base + "/namespaces":         a.listNamespaces,
		"POST " + base + "/namespaces":        a.createNamespace,
		"GET " + base + "/namespaces/{id}":    a.getNamespace,
		"PATCH " + base + "/namespaces/{id}":  a.updateNamespace,
		"DELETE " + base + "/namespaces/{id}": a.deleteNamespace,

		"GET " + base + "/functions":                   a.listFunctions,
		"POST " + base + "/functions":                  a.createFunction,
		"GET " + base + "/functions/{id}":              a.getFunction,
		"PATCH " + base + "/functions/{id}":            a.updateFunction,
		"DELETE " + base + "/functions/{id}":           a.deleteFunction,
		"POST " + base + "/functions/{id}/deploy":      a.deployFunction,
		"GET " + base + "/functions/{id}/upload-url":   a.uploadURL,
		"GET " + base + "/functions/{id}/download-url": a.downloadURL,

		"GET " + base + "/tokens":         a.listTokens,
		"POST " + base + "/tokens":        a.createToken,
		"GET " + base + "/tokens/{id}":    a.getToken,
		"DELETE " + base + "/tokens/{id}": a.deleteToken,

		"GET " + base + "/crons":         a.listCrons,
		"POST " + base + "/crons":        a.createCron,
		"GET " + base + "/crons/{id}":    a.getCron,
		"PATCH " + base + "/crons/{id}":  a.updateCron,
		"DELETE " + base + "/crons/{id}": a.deleteCron,

		"GET " + base + "/domains":         a.listDomains,
		"POST " + base + "/domains":        a.createDomain,
		"GET " + base + "/domains/{id}":    a.getDomain,
		"DELETE " + base + "/domains/{id}": a.deleteDomain,

		"GET " + base + "/triggers":         a.listTriggers,
		"POST " + base + "/triggers":        a.createTrigger,
		"GET " + base + "/triggers/{id}":    a.getTrigger,
		"PATCH " + base + "/triggers/{id}":  a.updateTrigger,
		"DELETE " + base + "/triggers/{id}": a.deleteTrigger,

		"GET " + base + "/runtimes": a.listRuntimes,

		"GET " + base + "/namespaces/{id}/functions": a.listFunctionsOfNamespace,
		"GET " + base + "/issue-jwt":                 a.issueToken,
		"GET " + base + "/functions/{id}/logs":       a.functionLogs,

		"GET /iam/v1alpha1/api-keys/{access_key}": a.getAPIKey,
		"GET /account/v3/projects":                a.listProjects,
		"GET /account/v3/projects/{id}":           a.getProject,
		"POST /account/v3/projects":               a.createProject,
		"PATCH /account/v3/projects/{id}":         a.updateProject,
		"DELETE /account/v3/projects/{id}":        a.deleteProject,
	}
}

// endpoint writes the answer, to those who may have it.
func (a *API) endpoint(needed permission, answer answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := notedFor(r)
		n.changes = needed.action == iam.Write
		if id := r.PathValue("id"); functions.ValidID(id) {
			n.object = id
		}
		scope, err := a.authorize(r, needed)
		if err != nil {
			a.writeError(w, r, err)
			return
		}
		body, err := answer(r, scope)
		if err != nil {
			a.writeError(w, r, err)
			return
		}
		if s, ok := body.(stream); ok {
			s(w, r)
			return
		}
		if made, ok := body.(identified); ok {
			n.object = made.objectID()
		}
		a.writeJSON(w, r, http.StatusOK, body)
	})
}

// identified is the answer for one object.
type identified interface{ objectID() string }

func (n namespaceAnswer) objectID() string   { return n.ID }
func (f functionAnswer) objectID() string    { return f.ID }
func (t tokenAnswer) objectID() string       { return t.ID }
func (t issuedTokenAnswer) objectID() string { return t.id }
func (c cronAnswer) objectID() string        { return c.ID }
func (t triggerAnswer) objectID() string     { return t.ID }
func (d domainAnswer) objectID() string      { return d.ID }
func (p projectAnswer) objectID() string     { return p.ID }

// authenticate returns the caller's API key.
func (a *API) authenticate(r *http.Request) (iam.APIKey, error) {
	now := a.Now()
	key, err := a.Keys.Authenticate(r.Header.Get("X-Auth-Token"), now)
	notedFor(r).key = key
	// No key, and one that has expired, are wrong as well: each answer to them
	// is written down, and nobody is to fill the audit log.
	if err != nil && functions.CodeOf(err) != functions.Unavailable && a.Attempts.CountFailure(addressOf(r), now) {
		return key, errTooManyAttempts
	}
	return key, err
}

// addressOf is the address that a request comes from.
func addressOf(r *http.Request) netip.Addr {
	// What is no address is the zero one.
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	return peer.Addr()
}

// authorize returns how far the caller can see. The region of the path is
// checked after the key and its permissions, as everything else is.
func (a *API) authorize(r *http.Request, needed permission) (functions.Scope, error) {
	key, err := a.authenticate(r)
	if err != nil {
		return functions.Scope{}, err
	}
	if !key.May(needed.action) {
		return functions.Scope{}, needed
	}
	scope := functions.Scope{
		Region:    functions.Region(r.PathValue("region")),
		ProjectID: key.ProjectID, OrganizationID: key.OrganizationID, Projects: a.Keys.Visible(key),
	}
	if r.PathValue("region") != "" && !scope.Region.Valid() {
		return scope, &functions.Error{
			Code: functions.InvalidArgument, Argument: "region", Reason: "unknown",
			Message: "must be one of fr-par, nl-ams, pl-waw",
		}
	}
	return scope, nil
}

// unknownRoute answers what is no endpoint, to those who have a key.
func (a *API) unknownRoute(w http.ResponseWriter, r *http.Request) {
	if _, err := a.authenticate(r); err != nil {
		a.writeError(w, r, err)
		return
	}
	a.writeJSON(w, r, http.StatusNotFound, message{"no such endpoint: " + truncate(r.Method, 20) + " " + truncate(r.URL.Path, 200)})
}

func truncate(text string, length int) string {
	return text[:min(len(text), length)]
}
