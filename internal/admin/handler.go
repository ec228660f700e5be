package admin

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// maxRequest is the maximum size of the body of a request, in bytes.
const maxRequest = 64 << 10

// An Operation serves one endpoint. Its result is encoded as JSON.
type Operation func(*http.Request) (any, error)

// An Outcome is the outcome of a request.
type Outcome struct {
	// Endpoint is the method and the pattern of the path.
	Endpoint string
	Status   int
	// Object is the ID, access key or name of the affected object; empty if it is not
	// known.
	Object string
	// Changes reports whether the endpoint changes something.
	Changes bool
}

// Handler returns the handler of the socket, with the endpoints of more in addition. It
// does not authenticate its callers. It calls observe for each request before it responds.
func (s *Service) Handler(log *slog.Logger, observe func(*http.Request, Outcome), more ...map[string]Operation) http.Handler {
	mux := http.NewServeMux()
	for _, operations := range more {
		for pattern, run := range operations {
			mux.Handle(pattern, endpoint(run, log, observe))
		}
	}
	for pattern, run := range map[string]Operation{
		"GET /projects":                      s.listProjects,
		"POST /projects":                     s.createProject,
		"GET /api-keys":                      s.listKeys,
		"POST /api-keys":                     s.createKey,
		"PATCH /api-keys/{access_key}":       s.updateKey,
		"DELETE /api-keys/{access_key}":      s.revokeKey,
		"POST /api-keys/{access_key}/rotate": s.rotateKey,
		"GET /tokens":                        s.listTokens,
	} {
		mux.Handle(pattern, endpoint(run, log, observe))
	}
	return mux
}

func endpoint(run Operation, log *slog.Logger, observe func(*http.Request, Outcome)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := Outcome{Endpoint: r.Pattern, Status: http.StatusOK, Object: cmp.Or(r.PathValue("access_key"), r.PathValue("node")), Changes: r.Method != http.MethodGet}
		// Requests are read within a longer time than their headers.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(importTimeout))
		body, err := run(r)
		if made, ok := body.(identified); ok && err == nil {
			o.Object = made.object()
		}
		if err != nil {
			o.Status, body = failureOf(err)
		}
		observe(r, o)
		log.InfoContext(r.Context(), "admin request", "endpoint", r.Pattern, "status", o.Status, "error", err)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(o.Status)
		// An error means that the client disconnected.
		_ = json.NewEncoder(w).Encode(body)
	})
}

// identified is implemented by responses for one object.
type identified interface{ object() string }

func (p Project) object() string { return p.ID }
func (k APIKey) object() string  { return k.AccessKey }

// failureOf returns the response to an error. It contains the whole text, because its
// reader is the owner of the server.
func failureOf(err error) (int, failure) {
	code := functions.CodeOf(err)
	status := map[functions.Code]int{
		functions.InvalidArgument:    http.StatusBadRequest,
		functions.NotFound:           http.StatusNotFound,
		functions.QuotaExceeded:      http.StatusForbidden,
		functions.AlreadyExists:      http.StatusConflict,
		functions.Unavailable:        http.StatusServiceUnavailable,
		functions.TransientState:     http.StatusConflict,
		functions.PreconditionFailed: http.StatusPreconditionFailed,
	}[code]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	return status, failure{Code: code, Message: err.Error()}
}

func decode(r *http.Request, into any) error { return decodeUpTo(r, maxRequest, into) }

func decodeUpTo(r *http.Request, limit int64, into any) error {
	err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, limit)).Decode(into)
	if err != nil && !errors.Is(err, io.EOF) {
		return &functions.Error{Code: functions.InvalidArgument, Message: fmt.Sprintf("decode the request body: %v", err)}
	}
	return nil
}

func (s *Service) listProjects(r *http.Request) (any, error) {
	all, err := s.Projects(r.Context())
	return encodeAll(all, encodeProject), err
}

func (s *Service) createProject(r *http.Request) (any, error) {
	var request createProjectRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	p, err := s.CreateProject(r.Context(), request.Name)
	return encodeProject(p), err
}

func (s *Service) listKeys(r *http.Request) (any, error) {
	all, err := s.Keys(r.Context(), r.URL.Query().Get("project"))
	return encodeAll(all, encodeUsedKey), err
}

func (s *Service) createKey(r *http.Request) (any, error) {
	var request createKeyRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	key, secretKey, err := s.CreateKey(r.Context(), CreateKey(request))
	return encodeIssued(key, secretKey), err
}

func (s *Service) updateKey(r *http.Request) (any, error) {
	var request updateKeyRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	change := iam.KeyChange{Description: request.Description, Permissions: request.Permissions, ExpiresAt: request.ExpiresAt}
	if request.NeverExpires {
		change.ExpiresAt = new(time.Time)
	}
	key, err := s.UpdateKey(r.Context(), r.PathValue("access_key"), change)
	return encodeKey(key), err
}

func (s *Service) revokeKey(r *http.Request) (any, error) {
	key, err := s.RevokeKey(r.Context(), r.PathValue("access_key"))
	return encodeKey(key), err
}

func (s *Service) rotateKey(r *http.Request) (any, error) {
	var request rotateKeyRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	key, secretKey, err := s.RotateKey(r.Context(), r.PathValue("access_key"), request.Overlap)
	return encodeIssued(key, secretKey), err
}

func (s *Service) listTokens(r *http.Request) (any, error) {
	query := r.URL.Query()
	// An invalid number stands for the first page.
	page, _ := strconv.Atoi(query.Get("page"))
	found, err := s.Tokens(r.Context(), query.Get("namespace_id"), query.Get("function_id"), page)
	return encodeAll(found, encodeToken), err
}

func encodeAll[T, A any](objects []T, encode func(T) A) []A {
	encoded := make([]A, len(objects))
	for i, object := range objects {
		encoded[i] = encode(object)
	}
	return encoded
}
