package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
)

const (
	// archivePath is where the code archives are put and got, by addresses
	// that upload-url and download-url hand out. As at Scaleway they carry
	// their own permission; an API key sent along is passed over.
	archivePath = "/archives/{name}"
	// urlLifetime is how long such an address is good for, as recorded.
	urlLifetime = time.Hour

	archiveType = "application/octet-stream"

	expiresParameter   = "X-Jeton-Expires"
	lengthParameter    = "X-Jeton-Content-Length"
	signatureParameter = "X-Jeton-Signature"
)

// signedURL is the answer of upload-url and download-url: where to go, and
// with which headers.
type signedURL struct {
	URL     string              `json:"url"`
	Headers map[string][]string `json:"headers"`
}

func (a *API) uploadURL(r *http.Request, scope functions.Scope) (any, error) {
	f, err := a.functionWithCode(r, scope)
	if err != nil {
		return nil, err
	}
	length, err := queryInt(r, "content_length")
	if err != nil {
		return nil, err
	}
	if length == 0 {
		return nil, &functions.Error{
			Code: functions.InvalidArgument, Argument: "content_length", Reason: "required", Message: "is required",
		}
	}
	if int64(length) > a.Service.Limits.ArchiveSize {
		return nil, &functions.Error{
			Code: functions.InvalidArgument, Argument: "content_length", Reason: "constraint",
			Message: fmt.Sprintf("must be at most %d bytes, is %d: leave out of the archive what the function does not need", a.Service.Limits.ArchiveSize, length),
		}
	}
	return signedURL{
		URL:     a.sign(r, http.MethodPut, f.ID, strconv.Itoa(length)),
		Headers: map[string][]string{"content-length": {strconv.Itoa(length)}, "content-type": {archiveType}},
	}, nil
}

// downloadURL was never recorded; a function without code is answered as any
// other thing that is not there.
func (a *API) downloadURL(r *http.Request, scope functions.Scope) (any, error) {
	f, err := a.functionWithCode(r, scope)
	if err != nil {
		return nil, err
	}
	if f.Archive == "" {
		return nil, functions.NotFoundError("Code of the function", f.ID)
	}
	return signedURL{URL: a.sign(r, http.MethodGet, f.ID, ""), Headers: map[string][]string{}}, nil
}

func (a *API) functionWithCode(r *http.Request, scope functions.Scope) (functions.Function, error) {
	id, err := pathID(r, "function_id")
	if err != nil {
		return functions.Function{}, err
	}
	return a.Service.Function(r.Context(), scope, id)
}

// sign makes an address at this server, under the name by which the client
// reached it.
func (a *API) sign(r *http.Request, method, functionID, length string) string {
	expires := strconv.FormatInt(a.Now().Add(urlLifetime).Unix(), 10)
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	query := url.Values{
		expiresParameter:   {expires},
		signatureParameter: {a.signature(method, functionID, expires, length)},
	}
	if length != "" {
		query.Set(lengthParameter, length)
	}
	return scheme + "://" + r.Host + "/archives/function-" + functionID + ".zip?" + query.Encode()
}

func (a *API) signature(method, functionID, expires, length string) string {
	mac := hmac.New(sha256.New, a.URLKey)
	fmt.Fprintf(mac, "%s\n%s\n%s\n%s", method, functionID, expires, length)
	return hex.EncodeToString(mac.Sum(nil))
}

var errSignature = &functions.Error{
	Code: functions.PermissionDenied, Resource: "functions_archive",
	Message: "the address is not valid, or not any more: ask for another",
}

// verify returns the function that a signed address is for.
func (a *API) verify(r *http.Request) (string, error) {
	name, ok := strings.CutPrefix(r.PathValue("name"), "function-")
	id, zip := strings.CutSuffix(name, ".zip")
	query := r.URL.Query()
	expires := query.Get(expiresParameter)
	wanted := a.signature(r.Method, id, expires, query.Get(lengthParameter))
	if !ok || !zip || !functions.ValidID(id) || !hmac.Equal([]byte(wanted), []byte(query.Get(signatureParameter))) {
		return "", errSignature
	}
	until, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || a.Now().Unix() >= until {
		return "", errSignature
	}
	return id, nil
}

// admit returns the function that a signed address is for. A wrong signature counts
// like a wrong key: the answer to it is written down as well.
func (a *API) admit(r *http.Request) (string, error) {
	id, err := a.verify(r)
	notedFor(r).object = id
	if err != nil && a.Attempts.Wrong(addressOf(r), a.Now()) {
		return "", errTooManyAttempts
	}
	return id, err
}

// putArchive keeps an uploaded archive. It becomes the function's code at the
// next deployment.
func (a *API) putArchive(w http.ResponseWriter, r *http.Request) {
	id, err := a.admit(r)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	notedFor(r).changes = true
	length, _ := strconv.ParseInt(r.URL.Query().Get(lengthParameter), 10, 64)
	if r.ContentLength != length {
		a.writeError(w, r, &functions.Error{
			Code: functions.InvalidArgument, Argument: "content-length", Reason: "constraint",
			Message: fmt.Sprintf("must be %d, as it was asked for", length),
		})
		return
	}
	archive, err := a.Archives.Add(id, r.Body, length, func(archive blob.Archive) error {
		return a.Service.CodeUploaded(r.Context(), id, archive.Digest)
	})
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, blob.ErrTooLarge) {
		err = &functions.Error{Code: functions.InvalidArgument, Message: "the archive is not as long as was said"}
	}
	if noRoom(err) {
		err = errors.Join(err, &functions.Error{Code: functions.Unavailable, Message: "the server cannot do this now: its disk is full"})
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	w.Header().Set("Etag", `"`+archive.MD5+`"`)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}

// noRoom tells whether a file could not be written for want of room.
func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// getArchive gives the archive that was uploaded last.
func (a *API) getArchive(w http.ResponseWriter, r *http.Request) {
	id, err := a.admit(r)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	digest, err := a.Service.UploadedCode(r.Context(), id)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	file, err := a.Archives.Open(id, digest)
	if errors.Is(err, os.ErrNotExist) {
		err = functions.NotFoundError("Code of the function", id)
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", archiveType)
	http.ServeContent(w, r, "", time.Time{}, file)
}
