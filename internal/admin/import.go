package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
)

// Functions is the part of functions.Service that an import uses.
type Functions interface {
	Import(tx functions.Tx, from functions.Import) ([]functions.ImportResult, error)
	ImportCode(ctx context.Context, id, digest, key string, changedAt time.Time) (functions.Function, error)
	FunctionIDs(ctx context.Context, projectID string) ([]string, error)
	CheckStorage(used, more int64) error
	FunctionByID(ctx context.Context, id string) (functions.Function, error)
	Limits() functions.Limits
}

// Archives is the part of blob.Archives that an import uses.
type Archives interface {
	Put(ctx context.Context, functionID string, r io.Reader, limit int64, commit func(blob.Archive) error) (blob.Archive, error)
	Prune(ctx context.Context, functionID string, needed func() ([]string, error)) error
	Usage(ctx context.Context, functionIDs []string, use func(bytes int64) error) error
}

// ImporterConfig has the dependencies of an Importer. All fields are required.
type ImporterConfig struct {
	Service   *Service
	Functions Functions
	Archives  Archives
	// Reservations counts uploads, also those of the API.
	Reservations *blob.Reservations
	// CheckKey returns a public key in the form in which it is stored, or an error.
	CheckKey func(text string) (string, error)
}

// Importer implements the import of namespaces from another service, with their IDs. It is
// reachable for the owner of the server only, because the owner of an ID could take over
// what others refer to. The methods are safe for concurrent use.
type Importer struct{ config ImporterConfig }

// NewImporter returns an Importer. Returns an error if a required field is missing.
func NewImporter(c ImporterConfig) (*Importer, error) {
	if c.Service == nil || c.Functions == nil || c.Archives == nil || c.Reservations == nil || c.CheckKey == nil {
		return nil, errors.New("configure imports: Service, Functions, Archives, Reservations and CheckKey are required")
	}
	return &Importer{config: c}, nil
}

// errDryRun discards the changes of a dry run.
var errDryRun = errors.New("dry run")

// Import imports one namespace. A project that does not exist is created with its ID. A dry
// run checks everything, and changes nothing.
func (i *Importer) Import(ctx context.Context, request ImportRequest) (ImportReport, error) {
	from, err := request.decode()
	if err != nil {
		return ImportReport{}, err
	}
	for n, text := range from.Namespace.Keys {
		if from.Namespace.Keys[n], err = i.config.CheckKey(text); err != nil {
			return ImportReport{}, invalid("public_key", "format", err.Error())
		}
	}
	var report ImportReport
	err = i.config.Service.config.Store.Update(ctx, func(tx store.Tx) error {
		project, created, err := i.project(tx, from.Namespace.Namespace, request.ProjectName)
		if err != nil {
			return err
		}
		report = ImportReport{NamespaceID: from.Namespace.ID, ProjectCreated: created}
		from.Namespace.OrganizationID = project.OrganizationID
		results, err := i.config.Functions.Import(tx, from)
		if err != nil {
			return err
		}
		if report.Results, err = encodeResults(tx, results); err != nil {
			return err
		}
		n, err := tx.Namespace(from.Namespace.ID)
		if err != nil {
			return err
		}
		report.Keys = len(n.Foreign.Keys)
		if request.DryRun {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return report, err
}

// project returns the project of a namespace, and creates it if it does not exist.
func (i *Importer) project(tx store.Tx, n functions.Namespace, name string) (p iam.Project, created bool, err error) {
	p, err = tx.Project(n.ProjectID)
	if !functions.IsNotFound(err) {
		return p, false, err
	}
	if !functions.ValidID(n.ProjectID) || !functions.ValidID(n.OrganizationID) {
		return p, false, invalid("project_id", "format", "must be a UUID")
	}
	service := i.config.Service
	if p, err = iam.NewProject(n.ProjectID, n.OrganizationID, name, "", service.config.Now()); err != nil {
		return p, false, refused(err)
	}
	all, err := tx.Projects()
	if err != nil {
		return p, false, err
	}
	if nameIsFree(all, p) != nil {
		p.Name += " " + p.ID[:8]
	}
	if most := service.config.MaxProjects; most > 0 && len(all) >= most {
		return p, false, &functions.Error{
			Code: functions.QuotaExceeded, Resource: "project", Quota: most, Current: len(all), Message: "the server has too many projects: raise --max-projects",
		}
	}
	return p, true, tx.Put(p)
}

// An ImportedArchive is the code of an imported function.
type ImportedArchive struct {
	// ChangedAt is the time of the last change at the source.
	ChangedAt time.Time
	Content   io.Reader
	// Bytes is the length of the content.
	Bytes int64
}

// ImportCode stores the code of an imported function. The limits of archives apply.
func (i *Importer) ImportCode(ctx context.Context, functionID string, code ImportedArchive) (ImportedCode, error) {
	if code.Bytes < 0 || code.Bytes > i.config.Functions.Limits().ArchiveSize {
		return ImportedCode{}, invalid("code", "constraint", "is larger than --max-archive-size, or of unknown length")
	}
	release, err := i.reserve(ctx, functionID, code.Bytes)
	if err != nil {
		return ImportedCode{}, err
	}
	defer release()
	var f functions.Function
	_, err = i.config.Archives.Put(ctx, functionID, code.Content, code.Bytes, func(a blob.Archive) (err error) {
		f, err = i.config.Functions.ImportCode(ctx, functionID, a.Digest, a.Key, code.ChangedAt)
		if err == nil {
			release()
		}
		if errors.Is(err, functions.ErrCondemned) {
			return errors.Join(err, blob.ErrCondemned)
		}
		return err
	})
	switch {
	case errors.Is(err, blob.ErrTooLarge):
		return ImportedCode{}, invalid("code", "constraint", "is longer than its announced length")
	case errors.Is(err, blob.ErrInvalidName):
		return ImportedCode{}, functions.NotFoundError("Function", functionID)
	case err != nil:
		return ImportedCode{}, err
	}
	err = i.config.Archives.Prune(context.WithoutCancel(ctx), functionID, func() ([]string, error) {
		f, err := i.config.Functions.FunctionByID(ctx, functionID)
		return f.Archives(), err
	})
	return ImportedCode{FunctionID: f.ID, Status: f.Status, ErrorMessage: f.ErrorMessage}, err
}

// reserve reserves storage for the code of a function in its project.
func (i *Importer) reserve(ctx context.Context, functionID string, bytes int64) (release func(), err error) {
	f, err := i.config.Functions.FunctionByID(ctx, functionID)
	if err != nil {
		return nil, err
	}
	ids, err := i.config.Functions.FunctionIDs(ctx, f.ProjectID)
	if err != nil {
		return nil, err
	}
	return i.config.Reservations.Reserve(ctx, i.config.Archives, blob.Demand{
		ProjectID: f.ProjectID, FunctionIDs: ids, Bytes: bytes, Check: i.config.Functions.CheckStorage,
	})
}

// AcceptForeign sets whether a namespace accepts the tokens of another issuer.
func (i *Importer) AcceptForeign(ctx context.Context, namespaceID string, accept bool) (ForeignTokens, error) {
	n, err := update(ctx, i.config.Service.config.Store, func(tx store.Tx) (functions.Namespace, error) {
		return functions.AcceptForeign(tx, namespaceID, accept)
	})
	if err != nil {
		return ForeignTokens{}, err
	}
	return encodeForeign(n), nil
}

// ForeignTokens returns how a namespace accepts the tokens of another issuer.
func (i *Importer) ForeignTokens(ctx context.Context, namespaceID string) (ForeignTokens, error) {
	n, err := view(ctx, i.config.Service.config.Store, func(tx store.Tx) (functions.Namespace, error) {
		return functions.ImportedFrom(tx, namespaceID)
	})
	if err != nil {
		return ForeignTokens{}, err
	}
	return encodeForeign(n), nil
}

// RemoveForeignKey removes an imported key of a namespace. Tokens that were adopted are
// verified again at their next use.
func (i *Importer) RemoveForeignKey(ctx context.Context, namespaceID, fingerprint string) (ForeignTokens, error) {
	n, err := update(ctx, i.config.Service.config.Store, func(tx store.Tx) (functions.Namespace, error) {
		return functions.RemoveForeignKey(tx, namespaceID, fingerprint)
	})
	if err != nil {
		return ForeignTokens{}, err
	}
	return encodeForeign(n), nil
}

// encodeResults adds the status of functions, which may have failed since an earlier run.
func encodeResults(tx store.Tx, results []functions.ImportResult) ([]ImportResult, error) {
	encoded := make([]ImportResult, len(results))
	for n, r := range results {
		encoded[n] = encodeResult(r)
		if r.Kind != "function" || r.Action == functions.ImportRefused || r.Action == functions.ImportSkipped {
			continue
		}
		f, err := tx.Function(r.ID)
		if err != nil {
			return nil, err
		}
		encoded[n].Status, encoded[n].ErrorMessage, encoded[n].DomainName = f.Status, f.ErrorMessage, f.DomainName
	}
	return encoded, nil
}

const (
	// maxImport is the maximum size of the description of one namespace, in bytes.
	maxImport = 64 << 20
	// importTimeout is the maximum time to receive a request.
	importTimeout = 10 * time.Minute
)

// Operations returns the endpoints of the socket.
func (i *Importer) Operations() map[string]Operation {
	return map[string]Operation{
		"POST /import":                                                     i.importNamespace,
		"PUT /import/functions/{function}/code":                            i.importCode,
		"GET /namespaces/{namespace}/foreign-tokens":                       i.getForeign,
		"POST /namespaces/{namespace}/foreign-tokens":                      i.acceptForeign,
		"DELETE /namespaces/{namespace}/foreign-tokens/keys/{fingerprint}": i.removeForeignKey,
	}
}

// identified responses.
func (r ImportReport) object() string  { return r.NamespaceID }
func (c ImportedCode) object() string  { return c.FunctionID }
func (f ForeignTokens) object() string { return f.NamespaceID }

func (i *Importer) importNamespace(r *http.Request) (any, error) {
	var request ImportRequest
	if err := decodeUpTo(r, maxImport, &request); err != nil {
		return nil, err
	}
	return i.Import(r.Context(), request)
}

func (i *Importer) importCode(r *http.Request) (any, error) {
	changedAt, err := time.Parse(time.RFC3339Nano, r.URL.Query().Get("changed_at"))
	if err != nil {
		return nil, invalid("changed_at", "format", "must be a date and time (RFC 3339)")
	}
	return i.ImportCode(r.Context(), r.PathValue("function"), ImportedArchive{ChangedAt: changedAt, Content: r.Body, Bytes: r.ContentLength})
}

func (i *Importer) acceptForeign(r *http.Request) (any, error) {
	var request acceptRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	return i.AcceptForeign(r.Context(), r.PathValue("namespace"), request.Accept)
}

func (i *Importer) getForeign(r *http.Request) (any, error) {
	return i.ForeignTokens(r.Context(), r.PathValue("namespace"))
}

func (i *Importer) removeForeignKey(r *http.Request) (any, error) {
	return i.RemoveForeignKey(r.Context(), r.PathValue("namespace"), r.PathValue("fingerprint"))
}

// value returns a secret value, nil if it is not known.
func value(values map[string]string, key string) *secret.String {
	text, known := values[key]
	if !known {
		return nil
	}
	return new(secret.New(text))
}
