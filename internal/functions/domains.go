package functions

import "context"

const domainResource = "Domain"

// Names looks for the owners of hostnames in the DNS.
type Names interface {
	// Proof returns an empty text if the DNS shows that the owner of the hostname
	// assigned it to the function with that domain name, or to its project;
	// otherwise what it shows instead, in words for the user. The error is not nil
	// if the DNS could not be asked.
	Proof(ctx context.Context, hostname, domainName, projectID string) (missing string, err error)
}

// CreateDomain gives a function another hostname. If the server checks names,
// the DNS must show that the hostname's owner wants it. A claim of another
// project for which that is no longer so gives way.
func (s *Service) CreateDomain(ctx context.Context, scope Scope, functionID, hostname string) (Domain, error) {
	name, err := s.hostname(hostname)
	if err != nil {
		return Domain{}, err
	}
	f, err := get(ctx, s.Store, func(tx Tx) (Function, error) { return called(tx, scope, functionID) })
	if err != nil {
		return Domain{}, err
	}
	if err := s.proven(ctx, name, f); err != nil {
		return Domain{}, err
	}
	stale, err := s.staleClaim(ctx, name, f.ProjectID)
	if err != nil {
		return Domain{}, err
	}
	d := Domain{
		ID: s.NewID(), Region: scope.Region, ProjectID: f.ProjectID, FunctionID: functionID, Hostname: name,
		Status: Pending, CreatedAt: s.Now(),
	}
	return change(ctx, s.Store, func(tx Tx) (Domain, error) {
		f, err := called(tx, scope, functionID)
		if err != nil {
			return d, err
		}
		if err := unclaimed(tx, d, stale); err != nil {
			return d, err
		}
		if err := s.domainQuotas(tx, f); err != nil {
			return d, err
		}
		return d, tx.Put(d)
	})
}

// proven returns an error in words for the user unless the DNS shows that the
// owner of the hostname assigned it to the function.
func (s *Service) proven(ctx context.Context, hostname string, f Function) error {
	if s.Names == nil {
		return nil
	}
	missing, err := s.Names.Proof(ctx, hostname, f.DomainName, f.ProjectID)
	if err != nil {
		missing = hostname + " could not be looked up"
	}
	if missing == "" {
		return nil
	}
	// Clients compare the first words, and try again.
	return refused("could not validate domain: " + missing + ": make " + hostname + " a CNAME of " + f.DomainName +
		", or add the TXT record _jeton." + hostname + " with the value jeton-project=" + f.ProjectID)
}

// staleClaim returns the ID of the domain of another project that has the
// hostname although the DNS no longer shows that it may; empty if there is none,
// or if that is not certain.
func (s *Service) staleClaim(ctx context.Context, hostname, projectID string) (string, error) {
	if s.Names == nil {
		return "", nil
	}
	var claim Domain
	var of Function
	err := s.Store.View(ctx, func(tx Tx) error {
		same, _, err := tx.Domains(Filter{Hostname: hostname}, Page{})
		if err != nil || len(same) == 0 || same[0].ProjectID == projectID {
			return err
		}
		claim = same[0]
		of, err = tx.Function(claim.FunctionID)
		return err
	})
	if err != nil || claim.ID == "" {
		return "", err
	}
	missing, err := s.Names.Proof(ctx, hostname, of.DomainName, of.ProjectID)
	if err != nil || missing == "" {
		return "", nil //nolint:nilerr // A claim that cannot be checked stands.
	}
	return claim.ID, nil
}

// unclaimed checks that no domain has the hostname, and deletes the stale claim.
func unclaimed(tx Tx, d Domain, stale string) error {
	same, _, err := tx.Domains(Filter{Hostname: d.Hostname}, Page{})
	if err != nil || len(same) == 0 {
		return err
	}
	if same[0].ID == stale {
		return tx.Delete(same[0])
	}
	taken := &Error{Code: AlreadyExists, Message: "resource already exists", Resource: "domain"}
	// Only its owner learns which one it is.
	if same[0].ProjectID == d.ProjectID && same[0].Region == d.Region {
		taken.ResourceID = same[0].ID
	}
	return taken
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
		d.Served = d.Status == Ready
		d.MarkDeleting()
		return d, tx.Delete(d)
	})
}
