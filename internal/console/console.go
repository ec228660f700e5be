package console

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

// Path is the path of the console. The console also works if a reverse proxy adds a
// prefix to it.
const Path = "/console"

// Sealer encrypts and authenticates sessions. secret.Sealer implements it.
type Sealer interface {
	Seal(plain []byte, purpose string) []byte
	Open(sealed []byte, purpose string) ([]byte, error)
}

// Config has the dependencies of a Console. All fields are required, except Secure.
type Config struct {
	// API handles the requests of sessions. It must answer SessionPath with the access
	// key of the caller.
	API http.Handler
	// AsKey returns the request of a session, which API handles as one with the API key
	// with that access key.
	AsKey  func(r *http.Request, accessKey string) *http.Request
	Sealer Sealer
	Now    func() time.Time
	// Secure reports whether a client has used HTTPS. Nil means that r.TLS decides.
	Secure func(*http.Request) bool
}

// SessionPath is the path of the API that describes the caller.
const SessionPath = "/jeton/v1/session"

// Console is the handler of the console. It is safe for concurrent use.
type Console struct {
	config Config
	files  *files
	mux    *http.ServeMux
}

// New returns a Console. Returns an error if a required field is missing.
func New(c Config) (*Console, error) {
	if c.API == nil || c.AsKey == nil || c.Sealer == nil || c.Now == nil {
		return nil, errors.New("configure console: API, AsKey, Sealer and Now are required")
	}
	if c.Secure == nil {
		c.Secure = func(r *http.Request) bool { return r.TLS != nil }
	}
	files, err := newFiles()
	if err != nil {
		return nil, err
	}
	k := &Console{config: c, files: files, mux: http.NewServeMux()}
	k.mux.HandleFunc("GET "+Path, toFolder)
	k.mux.HandleFunc("GET "+Path+"/{$}", files.serveIndex)
	k.mux.HandleFunc("GET "+Path+"/assets/{version}/{name...}", files.asset)
	k.mux.HandleFunc("GET "+Path+"/session", k.current)
	k.mux.HandleFunc("POST "+Path+"/session", k.signIn)
	k.mux.HandleFunc("DELETE "+Path+"/session", k.signOut)
	k.mux.HandleFunc(Path+"/api/", k.forward)
	return k, nil
}

// Handles reports whether a path belongs to the console.
func Handles(path string) bool { return path == Path || strings.HasPrefix(path, Path+"/") }

// ServeHTTP implements http.Handler.
func (k *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	if err := sameOrigin(r); err != nil {
		refuse(w, http.StatusForbidden, err.Error())
		return
	}
	k.mux.ServeHTTP(w, r)
}

// toFolder redirects to the folder, so that relative URLs of the page work below any
// prefix. The location is relative, because only the browser knows the prefix.
func toFolder(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", "console/")
	w.WriteHeader(http.StatusPermanentRedirect)
}

// policy permits scripts, styles and requests of this server only. Nothing can embed the
// page, and no script can turn text into code or markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

func setHeaders(h http.Header) {
	h.Set("Server", "Jeton")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// crossOrigin refuses requests with side effects from other origins.
var crossOrigin = http.NewCrossOriginProtection()

var errOrigin = errors.New("the request comes from another site")

// sameOrigin returns an error for a request that another site has caused. Other sites may
// only link to the page.
func sameOrigin(r *http.Request) error {
	if err := crossOrigin.Check(r); err != nil {
		return errOrigin
	}
	site := r.Header.Get("Sec-Fetch-Site")
	page := r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	if site != "" && site != "same-origin" && site != "none" && !page {
		return errOrigin
	}
	return nil
}

// refuse answers with a message in the form of the API.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"message":"` + message + `"}`))
}
