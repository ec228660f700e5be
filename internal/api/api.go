package api

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/runtime"
)

// A Directory resolves API keys and projects. iam.Directory implements it.
type Directory interface {
	// Authenticate returns the API key with the given secret key. It returns
	// iam.ErrMalformed or iam.ErrUnknown, or the key together with iam.ErrExpired.
	Authenticate(secretKey string, now time.Time) (iam.APIKey, error)
	// Recheck returns the API key with the given access key. It returns iam.ErrUnknown,
	// or the key together with iam.ErrExpired.
	Recheck(accessKey string, now time.Time) (iam.APIKey, error)
	// Project returns the project with the given ID, or the zero Project.
	Project(id string) iam.Project
	// First returns the oldest project: the organization that operates the server has it.
	First() iam.Project
	// Visible returns the IDs of all projects that a key covers, or nil if it covers only
	// its default project.
	Visible(key iam.APIKey) []string
}

// Projects creates, updates and deletes projects.
type Projects interface {
	CreateProjectIn(ctx context.Context, organization, name, description string) (iam.Project, error)
	UpdateProject(ctx context.Context, id string, name, description *string) (iam.Project, error)
	DeleteProject(ctx context.Context, id string) (iam.Project, error)
}

// Config has the dependencies of an API. Fields are required unless their comment says
// otherwise.
type Config struct {
	Service  *functions.Service
	Keys     Directory
	Projects Projects
	// Attempts limits wrong API keys and wrong signatures of URLs.
	Attempts *iam.Attempts
	Archives blob.Archives
	// Reservations counts uploads, also those that do not come through the API. Optional.
	Reservations *blob.Reservations
	Runtimes     []runtime.Runtime
	// Toolchain returns the name of this server's toolchain for a language; empty if there
	// is none.
	Toolchain func(language string) string
	Logs      Logs
	// Stopping is closed when long-running requests must end. Nil means never.
	Stopping <-chan struct{}
	// URLKey signs the URLs of archives.
	URLKey []byte
	// URL is the public URL of the API, without a trailing slash. Optional: if it is empty, signed
	// URLs use the URL by which the client has reached the server.
	URL string
	// Trusted reports whether a proxy at an address is trusted to set X-Forwarded-Proto
	// and X-Forwarded-Host; nil trusts none.
	Trusted func(netip.Addr) bool
	// Admin is the handler of the admin socket, and Audit the audit log. Optional: without
	// them, the API has no administration.
	Admin http.Handler
	Audit Audit
	// Addresses are the addresses of the gateway, and Version is the version of the server.
	// Optional.
	Addresses Addresses
	Version   string
	// PublicKeys returns the JSON Web Key Set of all namespaces.
	PublicKeys func() []byte
	Now        func() time.Time
	NewID      func() string
	Log        *slog.Logger
	// Gate wraps the handler of all requests, inside the Observer. It can hold a response
	// back, or replace it. Optional.
	Gate func(http.Handler) http.Handler
	// Observer is notified of every request. Optional.
	Observer Observer
	// Insight has the sources of the routes of the console. Optional: without it, these
	// routes answer 503.
	Insight *Insight
}

// API is the HTTP interface of the control plane. It is safe for concurrent use.
type API struct{ config Config }

// New returns an API. Returns an error that names all required fields which are missing.
func New(c Config) (*API, error) {
	var missing []string
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"Service", c.Service != nil},
		{"Keys", c.Keys != nil},
		{"Projects", c.Projects != nil},
		{"Attempts", c.Attempts != nil},
		{"Archives", c.Archives != nil},
		{"Runtimes", len(c.Runtimes) > 0},
		{"Toolchain", c.Toolchain != nil},
		{"Logs", c.Logs != nil},
		{"URLKey", len(c.URLKey) > 0},
		{"PublicKeys", c.PublicKeys != nil},
		{"Now", c.Now != nil},
		{"NewID", c.NewID != nil},
		{"Log", c.Log != nil},
	} {
		if !field.set {
			missing = append(missing, field.name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("configure API: missing fields: %s", strings.Join(missing, ", "))
	}
	if c.Reservations == nil {
		c.Reservations = new(blob.Reservations)
	}
	return &API{config: c}, nil
}

// base is the path prefix of the Functions API.
const base = "/functions/v1beta1/regions/{region}"

// Handler returns the handler of all endpoints.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range a.endpoints() {
		mux.Handle(pattern, a.authorized(permissionFor(pattern), handle))
	}
	if a.config.Admin != nil {
		mux.HandleFunc(adminPath+"/", a.serveAdmin)
	}
	if a.config.Audit != nil {
		mux.HandleFunc("GET "+auditPath, a.getAudit)
	}
	mux.HandleFunc("PUT "+archivePath, a.putArchive)
	mux.HandleFunc("GET "+archivePath, a.getArchive)
	mux.HandleFunc("GET /.well-known/jwks.json", a.getPublicKeys)
	mux.HandleFunc("GET /metadata", a.getMetadata)
	mux.HandleFunc("GET "+documentPath, a.getDescription)
	mux.HandleFunc("GET "+pagePath, a.getDescription)
	mux.HandleFunc("/", a.unknownRoute)
	handler := a.recover(mux)
	if a.config.Gate != nil {
		handler = a.config.Gate(handler)
	}
	return a.observe(handler)
}

// An endpoint handles an authorized request. It returns the body of the response, which is
// encoded as JSON unless it is a stream.
type endpoint func(r *http.Request, scope functions.Scope) (any, error)

// A stream writes a response that is not a single JSON document.
type stream func(w http.ResponseWriter, r *http.Request)

// endpoints returns the endpoints that require an API key, by pattern.
func (a *API) endpoints() map[string]endpoint {
	all := map[string]endpoint{
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
		"GET " + base + "/functions/{id}/build-log":  a.buildLog,

		"GET /jeton/v1/server": a.getServer,

		"GET /iam/v1alpha1/api-keys/{access_key}": a.getAPIKey,
		"GET /account/v3/projects":                a.listProjects,
		"GET /account/v3/projects/{id}":           a.getProject,
		"POST /account/v3/projects":               a.createProject,
		"PATCH /account/v3/projects/{id}":         a.updateProject,
		"DELETE /account/v3/projects/{id}":        a.deleteProject,
	}
	maps.Copy(all, a.insightEndpoints())
	return all
}

// authorized returns the handler of an endpoint. It calls the endpoint if the caller has the
// permission, and writes its result.
func (a *API) authorized(required permission, handle endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := infoOf(r)
		info.changes = required.action == iam.Write
		if id := r.PathValue("id"); functions.ValidID(id) {
			info.object = id
		}
		scope, err := a.authorize(r, required)
		if err != nil {
			a.writeError(w, r, err)
			return
		}
		body, err := handle(r, scope)
		if err != nil {
			a.writeError(w, r, err)
			return
		}
		if s, ok := body.(stream); ok {
			s(w, r)
			return
		}
		if object, ok := body.(identified); ok {
			info.object = object.objectID()
		}
		a.writeJSON(w, r, http.StatusOK, body)
	})
}

// identified is implemented by the responses for one object.
type identified interface{ objectID() string }

// authenticate returns the caller's API key.
func (a *API) authenticate(r *http.Request) (iam.APIKey, error) {
	now := a.config.Now()
	key, err := a.keyOf(r, now)
	infoOf(r).key = key
	// Missing and expired keys count as failures, since each writes an entry to the audit
	// log. Unavailable does not: the server could not check the key.
	if err != nil && functions.CodeOf(err) != functions.Unavailable && !isSession(r) && a.config.Attempts.CountFailure(addressOf(r), now) {
		return key, errTooManyAttempts
	}
	return key, err
}

// addressOf returns the address of the peer, or the zero address if it is unknown.
func addressOf(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	return peer.Addr()
}

// authorize authenticates the caller, checks the permission, and returns the scope of the
// caller's objects. The region is checked last, like all other arguments.
func (a *API) authorize(r *http.Request, required permission) (functions.Scope, error) {
	key, err := a.authenticate(r)
	if err != nil {
		return functions.Scope{}, err
	}
	if !key.May(required.action) || required.organization && !a.operates(key) {
		return functions.Scope{}, required
	}
	scope := functions.Scope{
		Region:    functions.Region(r.PathValue("region")),
		ProjectID: key.ProjectID, OrganizationID: key.OrganizationID, Projects: a.config.Keys.Visible(key),
	}
	if r.PathValue("region") != "" && !scope.Region.Valid() {
		return scope, &functions.Error{
			Code: functions.InvalidArgument, Argument: "region", Reason: "unknown",
			Message: "must be one of fr-par, nl-ams, pl-waw",
		}
	}
	return scope, nil
}

// operates reports whether a key covers the organization that operates the server: that of
// the first project. An import can create projects of other organizations.
func (a *API) operates(key iam.APIKey) bool {
	return key.Organization && key.OrganizationID == a.config.Keys.First().OrganizationID
}

// unknownRoute responds with 404 to authenticated callers.
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
