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
	// archivePath is where the code archives are uploaded and downloaded, at the
	// signed URLs that upload-url and download-url return. As at Scaleway such a URL
	// needs no API key with it.
	archivePath = "/archives/{name}"

	archiveType = "application/octet-stream"
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
	if err := a.checkStorage(r.Context(), f.ProjectID, int64(length)); err != nil {
		return nil, err
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

// putArchive keeps an uploaded archive. It becomes the function's code at the
// next deployment.
func (a *API) putArchive(w http.ResponseWriter, r *http.Request) {
	f, err := a.admit(r, iam.Write)
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
	release, err := a.reserve(r.Context(), f.ProjectID, length)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	defer release()
	archive, err := a.Archives.Put(r.Context(), f.ID, r.Body, length, func(archive blob.Archive) error {
		// The key may have been revoked while the archive was received.
		if _, err := a.recheck(r, iam.Write); err != nil {
			return err
		}
		err := a.Service.CodeUploaded(r.Context(), f.ID, archive.Digest)
		if err == nil {
			release()
		}
		return err
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
	if err := a.removeSuperseded(context.WithoutCancel(r.Context()), f.ID); err != nil {
		a.Log.Error("superseded archives could not be removed", "function_id", f.ID, "error", err)
	}
	w.Header().Set("Etag", `"`+archive.MD5+`"`)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}

// noRoom tells whether a file could not be written for want of room.
func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// removeSuperseded removes the archives that the function does not need any more now
// that another one was uploaded.
func (a *API) removeSuperseded(ctx context.Context, functionID string) error {
	return a.Archives.Prune(ctx, functionID, func() ([]string, error) {
		f, err := a.Service.FunctionByID(ctx, functionID)
		if functions.IsNotFound(err) {
			return nil, nil // It was deleted, with its archives.
		}
		return f.Archives(), err
	})
}

// getArchive returns the archive that was uploaded last, with its digest (RFC 9530).
func (a *API) getArchive(w http.ResponseWriter, r *http.Request) {
	f, err := a.admit(r, iam.Read)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	if f.Archive == "" {
		a.writeError(w, r, functions.NotFoundError("Code of the function", f.ID))
		return
	}
	content, err := a.Archives.Open(r.Context(), f.ID, f.Archive)
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
