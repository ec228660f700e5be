package console

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// cookieName is the name of the cookie of a session, and lifetime its maximum age.
	cookieName = "jeton_console"
	lifetime   = 12 * time.Hour
	// purpose separates sessions from other sealed values.
	purpose = "console session"
	// maxSignIn is the maximum size of the body of a sign-in.
	maxSignIn = 4 << 10
)

// A session is the content of the cookie. It has no secret: the API looks up the API key
// again for each request, so that a session ends with its key.
type session struct {
	AccessKey string    `json:"k"`
	ExpiresAt time.Time `json:"e"`
}

var errNoSession = errors.New("no session")

// signIn answers an API key with a session. The API checks the key, counts failures, and
// writes the audit log.
func (k *Console) signIn(w http.ResponseWriter, r *http.Request) {
	var given struct {
		SecretKey string `json:"secret_key"`
	}
	if r.Header.Get("Content-Type") != "application/json" ||
		json.NewDecoder(io.LimitReader(r.Body, maxSignIn)).Decode(&given) != nil {
		refuse(w, http.StatusBadRequest, "the body must be JSON with a secret_key")
		return
	}
	inner := r.Clone(r.Context())
	inner.Method, inner.Body, inner.ContentLength = http.MethodGet, http.NoBody, 0
	inner.URL.Path, inner.URL.RawPath, inner.URL.RawQuery = SessionPath, "", ""
	inner.Header = http.Header{"X-Auth-Token": {strings.TrimSpace(given.SecretKey)}}
	answer := &recorder{header: http.Header{}}
	k.config.API.ServeHTTP(answer, inner)
	var described struct {
		AccessKey string `json:"access_key"`
	}
	if answer.status == http.StatusOK && json.Unmarshal(answer.body.Bytes(), &described) == nil && described.AccessKey != "" {
		k.setCookie(w, r, session{described.AccessKey, k.config.Now().Add(lifetime)})
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body.Bytes())
}

// current answers with the session of the caller, or with 204 if there is none.
func (k *Console) current(w http.ResponseWriter, r *http.Request) {
	accessKey, err := k.session(r)
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	k.pass(w, r, SessionPath, accessKey)
}

// setCookie sets the cookie of a session. It has no path: the browser uses that of the
// console, with the prefix of a reverse proxy.
func (k *Console) setCookie(w http.ResponseWriter, r *http.Request, s session) {
	plain, err := json.Marshal(s)
	if err != nil {
		return // A text and a time can always be encoded.
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: base64.RawURLEncoding.EncodeToString(k.config.Sealer.Seal(plain, purpose)),
		MaxAge: int(lifetime / time.Second), HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: k.config.Secure(r),
	})
}

// signOut removes the cookie.
func (k *Console) signOut(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: k.config.Secure(r),
	})
	w.WriteHeader(http.StatusNoContent)
}

// session returns the access key of the session of a request, or errNoSession.
func (k *Console) session(r *http.Request) (accessKey string, err error) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return "", errNoSession
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return "", errNoSession
	}
	plain, err := k.config.Sealer.Open(sealed, purpose)
	if err != nil {
		return "", errNoSession
	}
	var s session
	decoder := json.NewDecoder(bytes.NewReader(plain))
	if decoder.Decode(&s) != nil || s.AccessKey == "" || !k.config.Now().Before(s.ExpiresAt) {
		return "", errNoSession
	}
	return s.AccessKey, nil
}

// forward passes a request of a session to the API. It needs a header that links, images
// and forms of other sites cannot have, because a few GET requests have an effect. Only
// streams of events, which scripts open without own headers, are exempt.
func (k *Console) forward(w http.ResponseWriter, r *http.Request) {
	accessKey, err := k.session(r)
	if err != nil {
		refuse(w, http.StatusUnauthorized, "sign in")
		return
	}
	events := r.Method == http.MethodGet && r.Header.Get("Accept") == "text/event-stream"
	if !events && r.Header.Get("X-Jeton-Console") == "" {
		refuse(w, http.StatusForbidden, "the header X-Jeton-Console is required")
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	k.pass(w, r, strings.TrimPrefix(r.URL.Path, Path+"/api"), accessKey)
}

// pass passes a request to a path of the API as the owner of an API key.
func (k *Console) pass(w http.ResponseWriter, r *http.Request, path, accessKey string) {
	inner := k.config.AsKey(r.Clone(r.Context()), accessKey)
	inner.URL.Path, inner.URL.RawPath = path, ""
	inner.RequestURI = inner.URL.RequestURI()
	inner.Header.Del("Cookie")
	inner.Header.Del("X-Auth-Token")
	k.config.API.ServeHTTP(w, inner)
}
