package functions

import (
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/grammar"
)

// A Namespace is a group of functions of one project. It has the key pair that
// signs their tokens, and variables that all of them get.
type Namespace struct {
	ID             string
	Region         Region
	ProjectID      string
	OrganizationID string
	Name           string
	// Slug begins the domain name of every function of the namespace. It is
	// unique, and never changes.
	Slug        string
	Description string
	Tags        []string
	Variables   map[string]string
	Secrets     []SecretVariable
	Status      Status
	// ErrorMessage is empty unless the status is Failed.
	ErrorMessage string
	// RegistryID and RegistryEndpoint are set when the namespace becomes
	// ready. Jeton has no image registry; clients expect the two names.
	RegistryID       string
	RegistryEndpoint string
	// PublicKey checks the namespace's tokens (PEM, PKCS #1); PrivateKey signs
	// them, and is sealed. Both are set when the namespace becomes ready.
	PublicKey  string
	PrivateKey []byte
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// ObjectID implements Object.
func (n Namespace) ObjectID() string { return n.ID }

// CreateNamespace is what a new namespace is made from.
type CreateNamespace struct {
	Name        string
	ProjectID   string
	Description string
	Tags        []string
	Variables   map[string]string
	Secrets     []SecretChange
}

// UpdateNamespace says what to change; what is nil stays as it is.
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
	return validSecrets(c.Secrets, limits)
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

// changesVariables tells whether the functions of the namespace would see the
// update.
func (u UpdateNamespace) changesVariables() bool {
	return u.Variables != nil || len(u.Secrets) > 0
}

const (
	slugPrefix = 20
	slugSuffix = 8
)

// slug derives the slug of a namespace from its name: the letters and digits
// of it, at most 20, and 8 random ones behind. The rule is read off recorded
// traffic; 20+8+1+34 (the longest function name) is one DNS label.
func slug(name, random string) string {
	kept := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	return kept[:min(len(kept), slugPrefix)] + random
}
