package functions

import "context"

const domainResource = "Domain"

// Names tells whether names in the DNS lead to functions.
type Names interface {
	// PointsTo returns nil if the hostname leads where target does, and an error
	// in words for the user if not.
	PointsTo(ctx context.Context, hostname, target string) error
}

// CreateDomain gives a function another hostname. Where the server checks names,
// the hostname must lead to the function's own one.
func (s *Service) CreateDomain(ctx context.Context, scope Scope, functionID, hostname string) (Domain, error) {
	name, err := s.hostname(hostname)
	if err != nil {
		return Domain{}, err
	}
	f, err := get(ctx, s.Store, func(tx Tx) (Function, error) { return called(tx, scope, functionID) })
	if err != nil {
		return Domain{}, err
	}
	if s.Names != nil {
		if err := s.Names.PointsTo(ctx, name, f.DomainName); err != nil {
			// Clients know the first words, and try again.
			return Domain{}, refused("could not validate domain: " + err.Error() + ": make " + name + " a CNAME of " + f.DomainName)
		}
	}
	d := Domain{
		ID: s.NewID(), Region: scope.Region, ProjectID: scope.ProjectID, FunctionID: functionID, Hostname: name,
		Status: Pending, CreatedAt: s.Now(),
	}
	return change(ctx, s.Store, func(tx Tx) (Domain, error) {
		if _, err := called(tx, scope, functionID); err != nil {
			return d, err
		}
		if err := s.roomForDomain(tx, d); err != nil {
			return d, err
		}
		return d, tx.Put(d)
	})
}

// roomForDomain checks that the hostname is nobody's yet, whoever that may be,
// and that the function can have one more.
func (s *Service) roomForDomain(tx Tx, d Domain) error {
	same, _, err := tx.Domains(Filter{Hostname: d.Hostname}, Page{})
	if err != nil {
		return err
	}
	if len(same) > 0 {
		taken := &Error{Code: AlreadyExists, Message: "resource already exists", Resource: "domain"}
		// Of whose it is, only its owner is told.
		if same[0].ProjectID == d.ProjectID && same[0].Region == d.Region {
			taken.ResourceID = same[0].ID
		}
		return taken
	}
	_, count, err := tx.Domains(Filter{FunctionID: d.FunctionID}, Page{Number: 1, Size: 1})
	if err != nil {
		return err
	}
	if count >= s.Limits.Domains {
		return quotaExceeded("domain", s.Limits.Domains, count)
	}
	return nil
}

// CustomDomain returns one domain.
func (s *Service) CustomDomain(ctx context.Context, scope Scope, id string) (Domain, error) {
	return get(ctx, s.Store, func(tx Tx) (Domain, error) { return findDomain(tx, scope, id) })
}

func findDomain(tx Tx, scope Scope, id string) (Domain, error) {
	d, err := tx.Domain(id)
	if err == nil && !scope.sees(d.Region, d.ProjectID) {
		return Domain{}, NotFoundError(domainResource, id)
	}
	return d, err
}

// Domains lists the domains of a function, and says how many there are.
func (s *Service) Domains(ctx context.Context, scope Scope, filter Filter, page Page) ([]Domain, int, error) {
	page, err := attachedTo(filter, page, "hostname")
	if err != nil {
		return nil, 0, err
	}
	return list(ctx, s.Store, scope, filter, func(tx Tx, f Filter) ([]Domain, int, error) { return tx.Domains(f, page) })
}

// DeleteDomain takes a hostname away from its function.
func (s *Service) DeleteDomain(ctx context.Context, scope Scope, id string) (Domain, error) {
	return change(ctx, s.Store, func(tx Tx) (Domain, error) {
		d, err := findDomain(tx, scope, id)
		if err != nil {
			return d, err
		}
		d.MarkDeleting()
		return d, tx.Delete(d)
	})
}
