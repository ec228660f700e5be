package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

const (
	// urlLifetime is the lifetime of a signed URL, as recorded.
	urlLifetime = time.Hour

	keyParameter       = "X-Jeton-Key"
	expiresParameter   = "X-Jeton-Expires"
	lengthParameter    = "X-Jeton-Content-Length"
	signatureParameter = "X-Jeton-Signature"
)

// sign returns a signed URL of this server for the archive of a function. It permits one
// method for urlLifetime, as long as the caller's API key permits it. The length is the
// size of an upload.
func (a *API) sign(r *http.Request, method, functionID, length string) string {
	expires := strconv.FormatInt(a.config.Now().Add(urlLifetime).Unix(), 10)
	key := infoOf(r).key.AccessKey
	query := url.Values{
		keyParameter:       {key},
		expiresParameter:   {expires},
		signatureParameter: {a.signature(method, functionID, expires, length, key)},
	}
	if length != "" {
		query.Set(lengthParameter, length)
	}
	return a.publicURL(r) + "/archives/function-" + functionID + ".zip?" + query.Encode()
}

// hostPort matches a hostname or an IP address with an optional port.
var hostPort = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// publicURL returns the URL of this server without a trailing slash: the configured one, or
// the one by which the client has reached the server, according to the request and to the
// headers of trusted proxies.
func (a *API) publicURL(r *http.Request) string {
	if a.config.URL != "" {
		return a.config.URL
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && a.config.Trusted != nil && a.config.Trusted(peer.Addr()) {
		if forwarded := lastOf(r.Header, "X-Forwarded-Proto"); forwarded == "http" || forwarded == "https" {
			scheme = forwarded
		}
		if forwarded := lastOf(r.Header, "X-Forwarded-Host"); hostPort.MatchString(forwarded) {
			host = forwarded
		}
	}
	return scheme + "://" + host
}

// lastOf returns the last value of a header to which each proxy appends a value: the value
// of the peer.
func lastOf(header http.Header, name string) string {
	all := strings.Join(header.Values(name), ",")
	return strings.TrimSpace(all[strings.LastIndexByte(all, ',')+1:])
}

func (a *API) signature(method, functionID, expires, length, key string) string {
	mac := hmac.New(sha256.New, a.config.URLKey)
	fmt.Fprintf(mac, "%s\n%s\n%s\n%s\n%s", method, functionID, expires, length, key)
	return hex.EncodeToString(mac.Sum(nil))
}

var errSignature = &functions.Error{
	Code: functions.PermissionDenied, Resource: "functions_archive",
	Message: "the URL is invalid or has expired: request a new one",
}

// verify returns the ID of the function of a signed URL, or errSignature.
func (a *API) verify(r *http.Request) (string, error) {
	name, ok := strings.CutPrefix(r.PathValue("name"), "function-")
	id, zip := strings.CutSuffix(name, ".zip")
	query := r.URL.Query()
	expires := query.Get(expiresParameter)
	want := a.signature(r.Method, id, expires, query.Get(lengthParameter), query.Get(keyParameter))
	if !ok || !zip || !functions.ValidID(id) || !hmac.Equal([]byte(want), []byte(query.Get(signatureParameter))) {
		return "", errSignature
	}
	until, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || a.config.Now().Unix() >= until {
		return "", errSignature
	}
	return id, nil
}

// recheck returns the API key with which a signed URL was requested. It returns
// errSignature if the key no longer permits the action.
func (a *API) recheck(r *http.Request, action iam.Action) (iam.APIKey, error) {
	key, err := a.config.Keys.Recheck(r.URL.Query().Get(keyParameter), a.config.Now())
	if err != nil || !key.May(action) {
		return key, errSignature
	}
	return key, nil
}

// authorizeURL returns the function of a signed URL if the API key with which the URL was
// requested still permits the action. A wrong signature counts as a failed attempt, since
// it writes an entry to the audit log.
func (a *API) authorizeURL(r *http.Request, action iam.Action) (functions.Function, error) {
	id, err := a.verify(r)
	if err != nil {
		if a.config.Attempts.CountFailure(addressOf(r), a.config.Now()) {
			err = errTooManyAttempts
		}
		return functions.Function{}, err
	}
	infoOf(r).object = id
	key, err := a.recheck(r, action)
	infoOf(r).key = key
	if err != nil {
		return functions.Function{}, err
	}
	f, err := a.config.Service.FunctionByID(r.Context(), id)
	if err == nil && !key.Covers(f.ProjectID, f.OrganizationID) {
		err = errSignature
	}
	return f, err
}
