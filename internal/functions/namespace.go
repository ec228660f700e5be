package functions

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/grammar"
)

const namespaceResource = "Namespace"

// A Namespace is a group of functions of one project. It has the key pair that signs
// their tokens, and variables for all of them.
type Namespace struct {
	ID             string
	Region         Region
	ProjectID      string
	OrganizationID string
	Name           string
	// Slug is the prefix of the domain name of every function of the namespace. It
	// is unique and never changes.
	Slug        string
	Description string
	Tags        []string
	Variables   map[string]string
	Secrets     []SecretVariable
	Status      Status
	// ErrorMessage is empty unless the status is Failed.
	ErrorMessage string
	// RegistryID and RegistryEndpoint are set when the namespace becomes ready.
	// Jeton has no image registry, but clients expect both.
	RegistryID       string
	RegistryEndpoint string
	// PublicKey verifies the tokens of the namespace (PEM, PKCS #1). PrivateKey
	// signs them, and is sealed. Both are set when the namespace becomes ready.
	PublicKey  string
	PrivateKey []byte
	CreatedAt  time.Time
	UpdatedAt  time.Time
	// Foreign describes the tokens of another service; nil unless the namespace was
	// imported.
	Foreign *ForeignIssuer `json:",omitempty"`
}

// ObjectID implements Object.
func (n Namespace) ObjectID() string { return n.ID }

// NeedsKeys reports whether the namespace is new and has no key pair yet.
func (n Namespace) NeedsKeys() bool { return n.Status == Pending && n.PrivateKey == nil }

// ProvisionKeys gives a new namespace its key pair, of which the private key is
// sealed, and its registry, and makes it ready. An imported namespace keeps its registry.
// It reports whether the namespace needed keys.
func (n *Namespace) ProvisionKeys(public string, sealed []byte, registryID string, now time.Time) bool {
	if !n.NeedsKeys() {
		return false
	}
	n.PublicKey, n.PrivateKey = public, sealed
	if n.RegistryID == "" {
		n.RegistryID = registryID
		n.RegistryEndpoint = fmt.Sprintf("rg.%s.scw.cloud/funcscw%s", n.Region, n.Slug)
	}
	n.Status, n.UpdatedAt = Ready, now
	return true
}

// RedeployNamespace starts deployments of the deployed functions of a namespace whose
// variables were changed, and makes the namespace ready. It does nothing unless the
// namespace is pending.
func RedeployNamespace(tx Tx, id string, now time.Time) error {
	n, err := tx.Namespace(id)
	if err != nil || n.Status != Pending {
		return err
	}
	within, _, err := tx.Functions(Filter{NamespaceID: id}, Page{})
	if err != nil {
		return err
	}
	for _, f := range within {
		// A deployment in progress has started with the old variables.
		deployed := f.Revision != nil || f.Status == Pending
		if !deployed || f.Status == Deleting {
			continue
		}
		f.StartDeployment(now)
		if err := tx.Put(f); err != nil {
			return err
		}
	}
	n.Status, n.UpdatedAt = Ready, now
	return tx.Put(n)
}

// DeleteEmptyNamespace deletes a namespace that is being deleted and has no functions
// left. It does nothing if functions are left.
func DeleteEmptyNamespace(tx Tx, id string) error {
	n, err := tx.Namespace(id)
	if err != nil || n.Status != Deleting {
		return err
	}
	_, left, err := tx.Functions(Filter{NamespaceID: id}, Page{Number: 1, Size: 1})
	if err != nil || left > 0 {
		return err
	}
	return tx.Delete(n)
}

// CreateNamespace describes a new namespace.
type CreateNamespace struct {
	Name        string
	ProjectID   string
	Description string
	Tags        []string
	Variables   map[string]string
	Secrets     []SecretChange
}

// UpdateNamespace changes the fields that are not nil.
type UpdateNamespace struct {
	Description *string
	Tags        *[]string
	Variables   *map[string]string
	Secrets     []SecretChange
}

func (c CreateNamespace) validate(limits Limits) error {
	if !grammar.IsNamespaceName(c.Name) {
		// The text is the real service's, of issue 3165 of its command line.
		return refused("namespace name must begin with a letter, followed by letters, numbers or hyphens, and end with a letter or number.")
	}
	if err := validTags(c.Tags); err != nil {
		return err
	}
	if err := validVariables(c.Variables, limits); err != nil {
		return err
	}
	if err := validSecrets(c.Secrets, limits); err != nil {
		return err
	}
	return validDescription(c.Description)
}

func (u UpdateNamespace) validate(limits Limits) error {
	if u.Tags != nil {
		if err := validTags(*u.Tags); err != nil {
			return err
		}
	}
	if u.Variables != nil {
		if err := validVariables(*u.Variables, limits); err != nil {
			return err
		}
	}
	return validSecrets(u.Secrets, limits)
}

// changesVariables reports whether the update changes variables of the functions.
func (u UpdateNamespace) changesVariables() bool {
	return u.Variables != nil || len(u.Secrets) > 0
}

const (
	slugPrefix = 20
	slugSuffix = 8
)

// slug returns the slug of a namespace with a name: at most 20 letters and digits of
// the name, and 8 random ones. The rule was derived from recorded traffic. 20+8+1+34
// (the longest function name) is the maximum length of a DNS label.
func slug(name, random string) string {
	kept := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	return kept[:min(len(kept), slugPrefix)] + random
}

// CreateNamespace creates a namespace, which is pending until it has its key pair.
func (s *Service) CreateNamespace(ctx context.Context, scope Scope, c CreateNamespace) (Namespace, error) {
	if err := c.validate(s.config.Limits); err != nil {
		return Namespace{}, err
	}
	projectID := cmp.Or(c.ProjectID, scope.ProjectID)
	if !scope.Covers(projectID) {
		return Namespace{}, &Error{Code: PermissionDenied, Message: "insufficient permissions", Resource: "functions_namespace"}
	}
	sealed, err := s.sealSecrets(ctx, c.Secrets)
	if err != nil {
		return Namespace{}, err
	}
	secrets, err := s.mergeSecrets(nil, sealed)
	if err != nil {
		return Namespace{}, err
	}
	now := s.config.Now()
	n := Namespace{
		ID: s.config.NewID(), Region: scope.Region, ProjectID: projectID, OrganizationID: scope.OrganizationID,
		Name: c.Name, Slug: slug(c.Name, s.config.NewSuffix()), Description: c.Description, Tags: c.Tags,
		Variables: c.Variables, Secrets: secrets,
		Status: Pending, CreatedAt: now, UpdatedAt: now,
	}
	return n, s.config.Store.Update(ctx, func(tx Tx) error {
		siblings := Filter{Region: n.Region, ProjectID: n.ProjectID}
		same := siblings
		same.Name = n.Name
		if _, taken, err := tx.Namespaces(same, Page{}); err != nil {
			return err
		} else if taken > 0 {
			return &Error{Code: AlreadyExists, Message: "Namespace already exist"}
		}
		if err := s.namespaceQuota(tx, siblings); err != nil {
			return err
		}
		return tx.Put(n)
	})
}

// Namespace returns one namespace.
func (s *Service) Namespace(ctx context.Context, scope Scope, id string) (Namespace, error) {
	return get(ctx, s.config.Store, func(tx Tx) (Namespace, error) { return namespace(tx, scope, id) })
}

// namespace returns a namespace that the scope covers.
func namespace(tx Tx, scope Scope, id string) (Namespace, error) {
	n, err := tx.Namespace(id)
	if err != nil {
		return n, err
	}
	if !scope.sees(n.Region, n.ProjectID) {
		return Namespace{}, NotFoundError(namespaceResource, id)
	}
	return n, nil
}

// Namespaces returns one page of the namespaces that match the filter, and the number
// of all.
func (s *Service) Namespaces(ctx context.Context, scope Scope, filter Filter, page Page) ([]Namespace, int, error) {
	page, err := page.Checked("name")
	if err != nil {
		return nil, 0, err
	}
	return list(ctx, s.config.Store, scope, filter, func(tx Tx, f Filter) ([]Namespace, int, error) { return tx.Namespaces(f, page) })
}

// UpdateNamespace changes a namespace. If its variables change, it is pending until
// deployments of its functions with the new variables have started.
func (s *Service) UpdateNamespace(ctx context.Context, scope Scope, id string, u UpdateNamespace) (Namespace, error) {
	if err := u.validate(s.config.Limits); err != nil {
		return Namespace{}, err
	}
	if _, err := s.Namespace(ctx, scope, id); err != nil {
		return Namespace{}, err // before the slow hashing
	}
	changed, err := s.sealSecrets(ctx, u.Secrets)
	if err != nil {
		return Namespace{}, err
	}
	return change(ctx, s.config.Store, func(tx Tx) (Namespace, error) {
		n, err := namespace(tx, scope, id)
		if err != nil {
			return n, err
		}
		if n.Status.Transient() {
			return n, transient("namespace", n.ID, n.Status)
		}
		if n.Secrets, err = s.mergeSecrets(n.Secrets, changed); err != nil {
			return n, err
		}
		set(&n.Description, u.Description)
		set(&n.Tags, u.Tags)
		set(&n.Variables, u.Variables)
		if u.changesVariables() {
			n.Status = Pending
		}
		n.UpdatedAt = s.config.Now()
		if err := validDescription(n.Description); err != nil {
			return n, err
		}
		return n, tx.Put(n)
	})
}

// DeleteNamespace starts the deletion of a namespace and its functions. When it
// returns, their tokens are revoked and the functions answer no more calls.
func (s *Service) DeleteNamespace(ctx context.Context, scope Scope, id string) (Namespace, error) {
	return change(ctx, s.config.Store, func(tx Tx) (Namespace, error) {
		n, err := namespace(tx, scope, id)
		if err != nil {
			return n, err
		}
		within, _, err := tx.Functions(Filter{NamespaceID: id}, Page{})
		if err != nil {
			return n, err
		}
		for _, f := range within {
			if _, err := s.deleteFunction(tx, f); err != nil {
				return n, err
			}
		}
		if err := deleteAll(tx, Filter{NamespaceID: id}, tx.Tokens); err != nil {
			return n, err
		}
		n.Status, n.UpdatedAt = Deleting, s.config.Now()
		return n, tx.Put(n)
	})
}
