package functions

import (
	"cmp"
	"errors"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/secret"
)

// An Import is one namespace of another service, with everything in it. Objects keep their
// IDs. The other fields of an object replace those of an earlier import.
type Import struct {
	// Issuer is the host of the service's API.
	Issuer    string
	Namespace ImportedNamespace
	Functions []ImportedFunction
	// Tokens are all tokens of the namespace and of its functions. Imported tokens that
	// are not among them are deleted.
	Tokens []ImportedToken
	// SkipTokens means that Tokens were not listed. No token is created or deleted.
	SkipTokens bool

	Crons    []Cron
	Triggers []Trigger
	Domains  []ImportedDomain
}

// An ImportedNamespace is the namespace of an Import. Of Namespace, the fields ID, Region,
// ProjectID, OrganizationID, Name, Slug, Description, Tags, Variables, RegistryID,
// RegistryEndpoint and CreatedAt are used.
type ImportedNamespace struct {
	Namespace

	Secrets []ImportedSecret
	// Keys are the public keys of the service, in the form of ForeignIssuer. They are
	// added to those of earlier imports.
	Keys []string
}

// An ImportedFunction is a function of an Import. The fields that the service itself
// determines are not used. UpdatedAt is the time of the last change at the source.
type ImportedFunction struct {
	Function

	Secrets []ImportedSecret
}

// An ImportedToken is a token without its text. Exactly one of NamespaceID and FunctionID
// is set.
type ImportedToken struct {
	ID, NamespaceID, FunctionID, Description string
	ExpiresAt                                time.Time
}

// An ImportedDomain is a hostname of a function. Without an ID, it is an alias, and gets
// a new ID. A domain that was ready at the source is ready here, without a proof in the
// DNS, which refers to the source until the callers move.
type ImportedDomain struct {
	ID, FunctionID, Hostname string
	Ready                    bool
	CreatedAt                time.Time
}

// An ImportedSecret is a secret variable with the hash of the source. Value is nil if it
// is not known.
type ImportedSecret struct {
	Key, Hash string
	Value     *secret.String
}

// ImportAction is what an import did with an object.
type ImportAction string

// The actions. A skipped object was deleted here after an earlier import, a refused one
// breaks a rule of this server, and a revoked one no longer exists at the source.
const (
	ImportCreated   ImportAction = "create"
	ImportUpdated   ImportAction = "update"
	ImportUnchanged ImportAction = "unchanged"
	ImportSkipped   ImportAction = "skip"
	ImportRefused   ImportAction = "refuse"
	ImportRevoked   ImportAction = "revoke"
)

// An ImportResult is what an import did with one object.
type ImportResult struct {
	Kind, ID, Name string
	Action         ImportAction
	// Reason says why an object was skipped, refused or revoked, or what is missing.
	Reason string
	// NeedsCode means that the code of the function was not copied since its last change.
	NeedsCode bool
}

// The kinds of results.
const (
	namespaceKind = "namespace"
	functionKind  = "function"
	tokenKind     = "token"
	cronKind      = "cron"
	triggerKind   = "trigger"
	domainKind    = "domain"
)

const (
	// maxForeignKeys is the maximum number of imported keys of a namespace.
	maxForeignKeys = 8
	// maxHash is the maximum length of an imported hash, in bytes.
	maxHash = 256
)

// importing is the state of one Import.
type importing struct {
	*Service

	tx        Tx
	from      Import
	namespace Namespace
	// functions are the functions of the namespace that exist after the import.
	functions map[string]Function
	// gone are the elements of ForeignIssuer.Removed; nil before the first use.
	gone    map[string]bool
	results []ImportResult
}

// Import writes an Import into a transaction. An object that breaks a rule is reported and
// does not affect the others. It returns an error if the namespace itself cannot be
// imported. Domain names of functions follow the rule of this server.
func (s *Service) Import(tx Tx, from Import) ([]ImportResult, error) {
	i := &importing{Service: s, tx: tx, from: from, functions: map[string]Function{}}
	if err := i.importNamespace(); err != nil {
		return nil, err
	}
	for _, f := range from.Functions {
		if err := i.each(functionKind, f.ID, f.Name, func() (ImportResult, error) { return i.function(f) }); err != nil {
			return nil, err
		}
	}
	if err := i.importTokens(); err != nil {
		return nil, err
	}
	for _, c := range from.Crons {
		if err := i.each(cronKind, c.ID, c.Name, func() (ImportResult, error) { return i.cron(c) }); err != nil {
			return nil, err
		}
	}
	for _, t := range from.Triggers {
		if err := i.each(triggerKind, t.ID, t.Name, func() (ImportResult, error) { return i.trigger(t) }); err != nil {
			return nil, err
		}
	}
	for _, d := range from.Domains {
		if err := i.each(domainKind, d.ID, d.Hostname, func() (ImportResult, error) { return i.domain(d) }); err != nil {
			return nil, err
		}
	}
	return i.results, nil
}

// each imports one object, and turns an Error for the user into a result.
func (i *importing) each(kind, id, name string, run func() (ImportResult, error)) error {
	result, err := run()
	if errors.Is(err, errDeletedHere) {
		result, err = ImportResult{Action: ImportSkipped, Reason: errDeletedHere.Message}, nil
	}
	if refusal, ok := errors.AsType[*Error](err); ok && refusal.Code != Unavailable && refusal.Code != Internal {
		result = ImportResult{Action: ImportRefused, Reason: refusal.Error()}
		err = nil
	}
	result.Kind, result.Name = kind, cmp.Or(result.Name, name)
	result.ID = cmp.Or(result.ID, id)
	i.results = append(i.results, result)
	return err
}

// errDeletedHere means that the function of an object was deleted here after an earlier
// import, so that the object is skipped like the function.
var errDeletedHere = &Error{Code: PreconditionFailed, Precondition: "imported", Message: "its function was deleted here after an earlier import"}

// removed reports whether an imported object was deleted here.
func (i *importing) removed(id string) bool {
	if i.gone == nil {
		i.gone = map[string]bool{}
		for _, removed := range i.namespace.Foreign.Removed {
			i.gone[removed] = true
		}
	}
	return i.gone[id]
}

var slugForm = regexp.MustCompile(`^[a-z0-9]{1,28}$`)

// importNamespace creates or updates the namespace.
func (i *importing) importNamespace() error {
	given := i.from.Namespace
	if err := i.checkNamespace(given); err != nil {
		return err
	}
	n, err := i.tx.Namespace(given.ID)
	result := ImportResult{Kind: namespaceKind, ID: given.ID, Name: given.Name, Action: ImportUpdated}
	switch {
	case IsNotFound(err):
		if n, err = i.newNamespace(given.Namespace); err != nil {
			return err
		}
		result.Action = ImportCreated
	case err != nil:
		return err
	case n.Foreign == nil || n.Foreign.Name != i.from.Issuer || n.Region != given.Region || n.ProjectID != given.ProjectID:
		return &Error{
			Code: AlreadyExists, Resource: namespaceResource, ResourceID: n.ID,
			Message: "a namespace with this ID exists that was not imported from " + i.from.Issuer + " into this project",
		}
	case n.Status == Deleting:
		return transient("namespace", n.ID, n.Status)
	}
	before := n
	n.Description, n.Tags, n.Variables = given.Description, given.Tags, given.Variables
	secrets, kept := i.secrets(n.Secrets, given.Secrets)
	n.Secrets = secrets
	foreign := *n.Foreign
	foreign.Keys = union(foreign.Keys, given.Keys)
	n.Foreign = &foreign
	if len(foreign.Keys) > maxForeignKeys {
		return outOfBounds("public_key", "at most %d keys per namespace", maxForeignKeys)
	}
	if missing := missingSecrets(n.Secrets); len(missing) > 0 {
		result.Reason = missingText(missing)
	}
	result.Reason = joinReasons(result.Reason, keptText(kept))
	i.namespace = n
	variables := !maps.Equal(before.Variables, n.Variables) || !sameSecrets(before.Secrets, n.Secrets)
	switch {
	case result.Action == ImportCreated:
	case !variables && before.Description == n.Description && slices.Equal(before.Tags, n.Tags) && len(before.Foreign.Keys) == len(foreign.Keys):
		result.Action = ImportUnchanged
	case variables:
		i.namespace.Status = Pending // Its functions are deployed again.
	}
	i.results = append(i.results, result)
	if result.Action == ImportUnchanged {
		return nil
	}
	i.namespace.UpdatedAt = i.config.Now()
	return i.tx.Put(i.namespace)
}

func (i *importing) checkNamespace(given ImportedNamespace) error {
	switch {
	case !ValidID(given.ID) || !ValidID(given.ProjectID):
		return malformed("id", "must be a UUID")
	case i.from.Issuer == "":
		return required("issuer")
	case !given.Region.Valid():
		return outOfBounds("region", "%.40q is not a region", given.Region)
	case !grammar.IsNamespaceName(given.Name):
		return malformed("name", "%.120q is not a valid name of a namespace", given.Name)
	case !slugForm.MatchString(given.Slug):
		return malformed("slug", "%.40q is not the prefix of a domain name", given.Slug)
	}
	return errors.Join(validTags(given.Tags), validVariables(given.Variables, i.config.Limits),
		i.checkSecrets(given.Secrets), validDescription(given.Description))
}

func (i *importing) newNamespace(given Namespace) (Namespace, error) {
	siblings := Filter{Region: given.Region, ProjectID: given.ProjectID}
	same := siblings
	same.Name = given.Name
	if _, taken, err := i.tx.Namespaces(same, Page{}); err != nil {
		return Namespace{}, err
	} else if taken > 0 {
		return Namespace{}, &Error{Code: AlreadyExists, Message: "the project has another namespace with the name " + given.Name}
	}
	if err := i.namespaceQuota(i.tx, siblings); err != nil {
		return Namespace{}, err
	}
	all, _, err := i.tx.Namespaces(Filter{}, Page{})
	if err != nil {
		return Namespace{}, err
	}
	if slices.ContainsFunc(all, func(n Namespace) bool { return n.Slug == given.Slug }) {
		return Namespace{}, &Error{Code: AlreadyExists, Message: "another namespace has the domain names of this one, which begin with " + given.Slug}
	}
	return Namespace{
		ID: given.ID, Region: given.Region, ProjectID: given.ProjectID, OrganizationID: given.OrganizationID, Name: given.Name, Slug: given.Slug,
		Status: Pending, RegistryID: given.RegistryID, RegistryEndpoint: given.RegistryEndpoint, CreatedAt: given.CreatedAt,
		Foreign: &ForeignIssuer{Name: i.from.Issuer},
	}, nil
}

// union returns the elements of both lists, without duplicates.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, element := range b {
		if !slices.Contains(all, element) {
			all = append(all, element)
		}
	}
	return all
}
