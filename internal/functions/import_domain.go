package functions

import "cmp"

func (i *importing) domain(given ImportedDomain) (ImportResult, error) {
	if err := i.within("", cmp.Or(given.FunctionID, "none")); err != nil {
		return ImportResult{}, err
	}
	f := i.functions[given.FunctionID]
	if given.Hostname == f.DomainName {
		return ImportResult{Action: ImportUnchanged}, nil
	}
	if given.ID != "" && !ValidID(given.ID) {
		return ImportResult{}, malformed("id", "must be a UUID")
	}
	name, err := i.hostname(given.Hostname)
	if err != nil {
		return ImportResult{}, err
	}
	same, _, err := i.tx.Domains(Filter{Hostname: name}, Page{})
	switch {
	case err != nil:
		return ImportResult{}, err
	case len(same) > 0:
		return i.knownDomain(given, same[0], f)
	}
	if err := i.domainIDIsFree(given.ID); err != nil {
		return ImportResult{}, err
	}
	// The quotas of domains do not apply: each function has an alias in addition.
	d := Domain{
		ID: cmp.Or(given.ID, i.config.NewID()), Region: f.Region, ProjectID: f.ProjectID, FunctionID: f.ID, Hostname: name,
		Status: Pending, CreatedAt: i.config.Now(), Imported: true,
	}
	if given.Ready {
		d.Status = Ready
	}
	return ImportResult{Action: ImportCreated, ID: d.ID}, i.tx.Put(d)
}

// domainIDIsFree returns an error if a domain has the ID. Every domain may have no ID.
func (i *importing) domainIDIsFree(id string) error {
	if id == "" {
		return nil
	}
	_, err := i.tx.Domain(id)
	if IsNotFound(err) {
		return nil
	}
	return cmp.Or(err, error(&Error{Code: AlreadyExists, Message: "a domain with this ID exists for another hostname"}))
}

// knownDomain imports a hostname that a domain has here. A domain that was created again at
// the source has another ID there, which its Terraform state refers to, or another function.
func (i *importing) knownDomain(given ImportedDomain, existing Domain, f Function) (ImportResult, error) {
	moved := existing.FunctionID != f.ID
	renewed := given.ID != "" && given.ID != existing.ID
	switch {
	case moved && (!existing.Imported || existing.ProjectID != f.ProjectID):
		return ImportResult{}, &Error{Code: AlreadyExists, Message: "another function has the hostname"}
	case !moved && !renewed:
		return ImportResult{Action: ImportUnchanged, ID: existing.ID}, nil
	case existing.Status == Deleting:
		return ImportResult{}, transient("domain", existing.ID, existing.Status)
	case !existing.Imported:
		return ImportResult{Action: ImportSkipped, ID: existing.ID, Reason: "it was created here with another ID: delete it here to import it with that of the source"}, nil
	}
	result := ImportResult{Action: ImportUpdated, ID: existing.ID}
	if moved {
		result.Reason = "the source has moved it to another function"
	}
	d := existing
	d.FunctionID = f.ID
	if renewed {
		if err := i.domainIDIsFree(given.ID); err != nil {
			return ImportResult{}, err
		}
		result.Reason = joinReasons(result.Reason, "it has a new ID at the source, in place of "+existing.ID)
		d.ID, result.ID = given.ID, given.ID
		if err := i.tx.Delete(existing); err != nil {
			return ImportResult{}, err
		}
	}
	return result, i.tx.Put(d)
}
