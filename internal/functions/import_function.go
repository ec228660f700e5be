package functions

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"
)

// function creates or updates a function without its code.
func (i *importing) function(given ImportedFunction) (ImportResult, error) {
	if i.removed(given.ID) {
		return ImportResult{Action: ImportSkipped, Reason: "it was deleted here after an earlier import"}, nil
	}
	if !ValidID(given.ID) {
		return ImportResult{}, malformed("id", "must be a UUID")
	}
	if err := errors.Join(validFunctionName(given.Name), i.checkSecrets(given.Secrets)); err != nil {
		return ImportResult{}, err
	}
	result := ImportResult{Action: ImportUpdated}
	f, err := i.tx.Function(given.ID)
	switch {
	case IsNotFound(err):
		if f, err = i.newFunction(given.Function); err != nil {
			return ImportResult{}, err
		}
		result.Action = ImportCreated
	case err != nil:
		return ImportResult{}, err
	case f.NamespaceID == i.namespace.ID && f.Origin != nil && f.Origin.Issuer == i.from.Issuer && f.Name != given.Name:
		return ImportResult{}, &Error{
			Code: PreconditionFailed, Precondition: "name", Resource: functionResource, ResourceID: f.ID,
			Message: "it has the name " + f.Name + " here, which cannot change: the source has renamed it",
		}
	case f.NamespaceID != i.namespace.ID || f.Origin == nil || f.Origin.Issuer != i.from.Issuer:
		return ImportResult{}, &Error{
			Code: AlreadyExists, Resource: functionResource, ResourceID: f.ID,
			Message: "a function with this ID exists that was not imported from " + i.from.Issuer,
		}
	case f.Status == Deleting:
		return ImportResult{}, transient("function", f.ID, f.Status)
	}
	before := f
	copySettings(&f, given.Function)
	secrets, kept := i.secrets(f.Secrets, given.Secrets)
	f.Secrets = secrets
	if err := i.check(f); err != nil {
		return ImportResult{}, err
	}
	result.NeedsCode = f.Origin.CodeAt.IsZero() || !f.Origin.CodeAt.Equal(given.UpdatedAt)
	missing := f.MissingSecrets(i.namespace)
	result.Reason = joinReasons(missing, keptText(kept))
	i.functions[f.ID] = f
	if result.Action == ImportUpdated && sameSettings(before, f) && (missing != "") == before.withoutSecrets() {
		result.Action = ImportUnchanged
		return result, nil
	}
	i.deploy(&f, missing)
	i.functions[f.ID] = f
	return result, i.tx.Put(f)
}

// deploy starts a deployment of a function with code, or fails a function whose secret
// values are missing.
func (s *Service) deploy(f *Function, missing string) {
	now := s.config.Now()
	switch {
	case missing != "":
		f.Status, f.ErrorMessage, f.BuildMessage, f.UpdatedAt = Failed, missing, "", now
	case f.Archive != "":
		f.StartDeployment(now)
	default:
		f.Status, f.ErrorMessage, f.UpdatedAt = Created, "", now
	}
}

// withoutSecrets reports whether an import has failed the function because secret values
// are missing.
func (f Function) withoutSecrets() bool {
	return f.Status == Failed && strings.HasPrefix(f.ErrorMessage, missingText(nil)[:20])
}

func (i *importing) newFunction(given Function) (Function, error) {
	n := i.namespace
	f := Function{
		ID: given.ID, Region: n.Region, ProjectID: n.ProjectID, OrganizationID: n.OrganizationID, NamespaceID: n.ID, Name: given.Name,
		Status: Created, CreatedAt: given.CreatedAt, Origin: &Origin{Issuer: i.from.Issuer},
		DomainName: n.Slug + "-" + given.Name + "." + strings.ReplaceAll(i.config.Domain, "{region}", string(n.Region)),
	}
	return f, errors.Join(nameIsFree(i.tx, f), i.functionQuota(i.tx, f))
}

// copySettings copies what an author sets.
func copySettings(f *Function, given Function) {
	f.Description, f.Tags, f.Variables = given.Description, given.Tags, given.Variables
	f.MinScale, f.MaxScale, f.Runtime, f.Handler = given.MinScale, given.MaxScale, given.Runtime, given.Handler
	f.MemoryLimit, f.CPULimit, f.Timeout = given.MemoryLimit, memoryTiers[given.MemoryLimit], given.Timeout
	f.Privacy, f.HTTPOption, f.Sandbox, f.PrivateNetworkID = given.Privacy, given.HTTPOption, given.Sandbox, given.PrivateNetworkID
}

// sameSettings reports whether an import would change nothing.
func sameSettings(a, b Function) bool {
	settings := func(f Function) Function {
		var only Function
		copySettings(&only, f)
		if len(only.Tags) == 0 {
			only.Tags = nil
		}
		if len(only.Variables) == 0 {
			only.Variables = nil
		}
		return only
	}
	return sameSecrets(a.Secrets, b.Secrets) && reflect.DeepEqual(settings(a), settings(b))
}

// ImportCode records that the archive with the digest is the code of an imported function
// at the time of the source's last change, and starts a deployment unless the same code is
// deployed or values of secret variables are missing. key is as in CodeUploaded.
func (s *Service) ImportCode(ctx context.Context, id, digest, key string, changedAt time.Time) (Function, error) {
	return change(ctx, s.config.Store, func(tx Tx) (Function, error) {
		if err := tx.Usable(key); err != nil {
			return Function{}, err
		}
		f, err := tx.Function(id)
		if err != nil {
			return f, err
		}
		if f.Origin == nil || f.Status == Deleting {
			return f, &Error{Code: PreconditionFailed, Precondition: "imported", Message: "the function was not imported, or is being deleted"}
		}
		n, err := tx.Namespace(f.NamespaceID)
		if err != nil {
			return f, err
		}
		same := f.Archive == digest && (f.Revision != nil || f.Status == Pending || f.Status == Failed)
		origin := *f.Origin
		origin.CodeAt = changedAt
		f.Origin, f.Archive = &origin, digest
		if !same {
			f.Target = digest
			s.deploy(&f, f.MissingSecrets(n))
		}
		return f, tx.Put(f)
	})
}
