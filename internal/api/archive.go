package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

const (
	// archivePath is the path of code archives. Requests need no API key, as at Scaleway:
	// upload-url and download-url return signed URLs with this path.
	archivePath = "/archives/{name}"

	archiveType = "application/octet-stream"
)

// signedURL is the response of upload-url and download-url: the URL to request, and the
// headers to send.
type signedURL struct {
	URL     string              `json:"url"`
	Headers map[string][]string `json:"headers"`
}

func (a *API) uploadURL(r *http.Request, scope functions.Scope) (any, error) {
	f, err := a.functionInPath(r, scope)
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
	if int64(length) > a.config.Service.Limits().ArchiveSize {
		return nil, &functions.Error{
			Code: functions.InvalidArgument, Argument: "content_length", Reason: "constraint",
			Message: fmt.Sprintf("must be at most %d bytes, is %d: remove unneeded files from the archive", a.config.Service.Limits().ArchiveSize, length),
		}
	}
	if err := a.checkStorage(r.Context(), f.ProjectID, int64(length)); err != nil {
		return nil, err
	}
	return signedURL{
		URL:     a.sign(r, http.MethodPut, f.ID, strconv.Itoa(length)),
		Headers: map[string][]string{"content-length": {strconv.Itoa(length)}, "content-type": {archiveType}},
	}, nil
}

// downloadURL returns a signed URL for downloading the code. Scaleway's response for a
// function without code was never recorded; Jeton returns 404.
func (a *API) downloadURL(r *http.Request, scope functions.Scope) (any, error) {
	f, err := a.functionInPath(r, scope)
	if err != nil {
		return nil, err
	}
	if f.Archive == "" {
		return nil, functions.NotFoundError("Code of the function", f.ID)
	}
	return signedURL{URL: a.sign(r, http.MethodGet, f.ID, ""), Headers: map[string][]string{}}, nil
}

// functionInPath returns the function with the ID in the path.
func (a *API) functionInPath(r *http.Request, scope functions.Scope) (functions.Function, error) {
	id, err := pathID(r, "function_id")
	if err != nil {
		return functions.Function{}, err
	}
	return a.config.Service.Function(r.Context(), scope, id)
}

// putArchive stores an uploaded archive. The next deployment of the function uses it.
func (a *API) putArchive(w http.ResponseWriter, r *http.Request) {
	f, err := a.authorizeURL(r, iam.Write)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	infoOf(r).changes = true
	length, _ := strconv.ParseInt(r.URL.Query().Get(lengthParameter), 10, 64)
	if r.ContentLength != length {
		a.writeError(w, r, &functions.Error{
			Code: functions.InvalidArgument, Argument: "content-length", Reason: "constraint",
			Message: fmt.Sprintf("must be %d, as in the request for the URL", length),
		})
		return
	}
	release, err := a.reserve(r.Context(), f.ProjectID, length)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	defer release()
	archive, err := a.config.Archives.Put(r.Context(), f.ID, r.Body, length, func(archive blob.Archive) error {
		// The API key may have been deleted during the upload.
		if _, err := a.recheck(r, iam.Write); err != nil {
			return err
		}
		err := a.config.Service.CodeUploaded(r.Context(), f.ID, archive.Digest, archive.Key)
		if err == nil {
			release()
		}
		if errors.Is(err, functions.ErrCondemned) {
			return errors.Join(err, blob.ErrCondemned)
		}
		return err
	})
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, blob.ErrTooLarge) {
		err = &functions.Error{Code: functions.InvalidArgument, Message: "the archive does not have the announced length"}
	}
	if diskFull(err) {
		err = errors.Join(err, &functions.Error{Code: functions.Unavailable, Message: "the server cannot do this now: its disk is full"})
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	if err := a.removeSuperseded(context.WithoutCancel(r.Context()), f.ID); err != nil {
		a.config.Log.Error("cannot remove superseded archives", "function_id", f.ID, "error", err)
	}
	w.Header().Set("Etag", `"`+archive.MD5+`"`)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}

// diskFull reports whether a file could not be written because the disk is full.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// removeSuperseded removes the archives that the function no longer needs after an upload.
func (a *API) removeSuperseded(ctx context.Context, functionID string) error {
	return a.config.Archives.Prune(ctx, functionID, func() ([]string, error) {
		f, err := a.config.Service.FunctionByID(ctx, functionID)
		if functions.IsNotFound(err) {
			return nil, nil // The deletion of the function removes its archives.
		}
		return f.Archives(), err
	})
}

// getArchive serves the archive that was uploaded last, with its digest (RFC 9530).
func (a *API) getArchive(w http.ResponseWriter, r *http.Request) {
	f, err := a.authorizeURL(r, iam.Read)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	if f.Archive == "" {
		a.writeError(w, r, functions.NotFoundError("Code of the function", f.ID))
		return
	}
	content, err := a.config.Archives.Open(r.Context(), f.ID, f.Archive)
	if errors.Is(err, blob.ErrNotFound) {
		err = functions.NotFoundError("Code of the function", f.ID)
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	defer content.Close()
	if digest, err := hex.DecodeString(f.Archive); err == nil {
		w.Header().Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(digest)+":")
	}
	w.Header().Set("Content-Type", archiveType)
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(content, 0, content.Size()))
}
