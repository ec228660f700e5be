package functions

import (
	"bytes"
	"cmp"
)

// importTokens creates the tokens of the source, and deletes imported tokens that the
// source no longer has. It does nothing if the tokens were not listed.
func (i *importing) importTokens() error {
	if i.from.SkipTokens {
		return nil
	}
	for _, t := range i.from.Tokens {
		if err := i.each(tokenKind, t.ID, t.Description, func() (ImportResult, error) { return i.token(t) }); err != nil {
			return err
		}
	}
	given := map[string]bool{}
	for _, t := range i.from.Tokens {
		given[t.ID] = true
	}
	scopes := []Filter{{NamespaceID: i.namespace.ID}}
	// These include the functions that the source has deleted and those that this import
	// has refused, whose tokens may have been deleted at the source, too.
	all, _, err := i.tx.Functions(Filter{NamespaceID: i.namespace.ID}, Page{})
	if err != nil {
		return err
	}
	for _, f := range all {
		scopes = append(scopes, Filter{FunctionID: f.ID})
	}
	for _, scope := range scopes {
		present, _, err := i.tx.Tokens(scope, Page{})
		if err != nil {
			return err
		}
		for _, t := range present {
			if t.Issuer != i.from.Issuer || given[t.ID] {
				continue
			}
			i.results = append(i.results, ImportResult{
				Kind: tokenKind, ID: t.ID, Name: t.Description, Action: ImportRevoked, Reason: "the source has deleted it",
			})
			if err := i.tx.Delete(t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (i *importing) token(given ImportedToken) (ImportResult, error) {
	if i.removed(given.ID) {
		return ImportResult{Action: ImportSkipped, Reason: "it was revoked here"}, nil
	}
	if !ValidID(given.ID) {
		return ImportResult{}, malformed("id", "must be a UUID")
	}
	scope := CreateToken{NamespaceID: given.NamespaceID, FunctionID: given.FunctionID, Description: given.Description}
	if err := scope.validate(); err != nil {
		return ImportResult{}, err
	}
	if err := i.within(given.NamespaceID, given.FunctionID); err != nil {
		return ImportResult{}, err
	}
	result := ImportResult{Action: ImportCreated}
	if len(i.namespace.Foreign.Keys) == 0 {
		result.Reason = "the namespace has no public key: calls with the token are denied until an import with --public-key"
	}
	existing, err := i.tx.Token(given.ID)
	switch {
	case err == nil && existing.Issuer == i.from.Issuer && existing.NamespaceID == given.NamespaceID && existing.FunctionID == given.FunctionID:
		return i.knownToken(result, existing, given)
	case err == nil:
		return ImportResult{}, &Error{Code: AlreadyExists, Message: "a token with this ID exists that was not imported from " + i.from.Issuer}
	case !IsNotFound(err):
		return ImportResult{}, err
	}
	t := Token{
		ID: given.ID, Region: i.namespace.Region, ProjectID: i.namespace.ProjectID, NamespaceID: given.NamespaceID, FunctionID: given.FunctionID,
		Description: given.Description, Status: Ready, CreatedAt: i.config.Now(), ExpiresAt: given.ExpiresAt, Issuer: i.from.Issuer,
	}
	if err := i.tokenQuotas(i.tx, t); err != nil {
		return ImportResult{}, err
	}
	return result, i.tx.Put(t)
}

// knownToken imports a token again. The expiry of the source replaces that of a token that
// is not adopted: an adopted one may have an earlier expiry in its text.
func (i *importing) knownToken(result ImportResult, existing Token, given ImportedToken) (ImportResult, error) {
	result.Action = ImportUnchanged
	if existing.Adopted() || existing.ExpiresAt.Equal(given.ExpiresAt) {
		return result, nil
	}
	result.Action, existing.ExpiresAt = ImportUpdated, given.ExpiresAt
	return result, i.tx.Put(existing)
}

// within returns an error unless the object belongs to the namespace or to one of its
// imported functions; errDeletedHere if it belongs to a function that was deleted here.
func (i *importing) within(namespaceID, functionID string) error {
	_, imported := i.functions[functionID]
	if functionID != "" && i.removed(functionID) {
		return errDeletedHere
	}
	if functionID != "" && !imported || functionID == "" && namespaceID != i.namespace.ID {
		return &Error{Code: PreconditionFailed, Precondition: "imported", Message: "its function was not imported"}
	}
	return nil
}

func (i *importing) cron(given Cron) (ImportResult, error) {
	if err := i.within("", cmp.Or(given.FunctionID, "none")); err != nil {
		return ImportResult{}, err
	}
	c := Cron{
		ID: given.ID, Region: i.namespace.Region, ProjectID: i.namespace.ProjectID, FunctionID: given.FunctionID,
		Name: cmp.Or(given.Name, "cron-"+given.ID), Schedule: given.Schedule, Args: compactArgs(given.Args), Status: Pending, CreatedAt: i.config.Now(), NextAfter: i.config.Now(),
	}
	if !ValidID(c.ID) {
		return ImportResult{}, malformed("id", "must be a UUID")
	}
	if err := c.validate(); err != nil {
		return ImportResult{}, err
	}
	existing, err := i.tx.Cron(c.ID)
	switch {
	case IsNotFound(err):
		if err := i.cronQuotas(i.tx, i.functions[c.FunctionID]); err != nil {
			return ImportResult{}, err
		}
		return ImportResult{Action: ImportCreated}, i.tx.Put(c)
	case err != nil:
		return ImportResult{}, err
	case existing.ProjectID != c.ProjectID || existing.Region != c.Region:
		return ImportResult{}, &Error{Code: AlreadyExists, Message: "another project has a cron with this ID"}
	case existing.FunctionID == c.FunctionID && existing.Name == c.Name && existing.Schedule == c.Schedule && bytes.Equal(existing.Args, c.Args):
		return ImportResult{Action: ImportUnchanged}, nil
	}
	c.CreatedAt = existing.CreatedAt
	if existing.Schedule == c.Schedule {
		c.NextAfter = existing.NextAfter
	}
	return ImportResult{Action: ImportUpdated}, i.tx.Put(c)
}

func (i *importing) trigger(given Trigger) (ImportResult, error) {
	if err := i.within("", cmp.Or(given.FunctionID, "none")); err != nil {
		return ImportResult{}, err
	}
	t := Trigger{
		ID: given.ID, Region: i.namespace.Region, ProjectID: i.namespace.ProjectID, NamespaceID: i.namespace.ID, FunctionID: given.FunctionID,
		Name: given.Name, Description: given.Description, SQS: given.SQS, NATS: given.NATS, Status: Creating, CreatedAt: i.config.Now(),
	}
	if !ValidID(t.ID) {
		return ImportResult{}, malformed("id", "must be a UUID")
	}
	if err := t.validate(); err != nil {
		return ImportResult{}, err
	}
	// The source's project is another one with the consent of the owner of this server.
	if err := t.resolveSource(Scope{Region: t.Region, ProjectID: cmp.Or(t.sourceProject(), t.ProjectID)}); err != nil {
		return ImportResult{}, err
	}
	existing, err := i.tx.Trigger(t.ID)
	switch {
	case IsNotFound(err):
		if err := i.triggerQuotas(i.tx, i.functions[t.FunctionID]); err != nil {
			return ImportResult{}, err
		}
		return ImportResult{Action: ImportCreated}, i.tx.Put(t)
	case err != nil:
		return ImportResult{}, err
	case existing.ProjectID != t.ProjectID || existing.Region != t.Region:
		return ImportResult{}, &Error{Code: AlreadyExists, Message: "another project has a trigger with this ID"}
	case existing.FunctionID == t.FunctionID && existing.Name == t.Name && existing.Description == t.Description && existing.sameSource(t):
		return ImportResult{Action: ImportUnchanged}, nil
	}
	t.CreatedAt = existing.CreatedAt
	return ImportResult{Action: ImportUpdated}, i.tx.Put(t)
}

// sameSource reports whether two triggers consume the same messages.
func (t Trigger) sameSource(other Trigger) bool {
	switch {
	case t.SQS != nil && other.SQS != nil:
		return t.SQS.Queue == other.SQS.Queue && t.SQS.ProjectID == other.SQS.ProjectID && t.SQS.Region == other.SQS.Region
	case t.NATS != nil && other.NATS != nil:
		return t.NATS.Subject == other.NATS.Subject && t.NATS.AccountID == other.NATS.AccountID &&
			t.NATS.ProjectID == other.NATS.ProjectID && t.NATS.Region == other.NATS.Region
	}
	return false
}
