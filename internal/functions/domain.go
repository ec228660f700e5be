package functions

import (
	"context"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/grammar"
)

const domainResource = "Domain"

// A Domain is a custom hostname of a function.
type Domain struct {
	ID         string
	Region     Region
	ProjectID  string
	FunctionID string
	Hostname   string
	Status     Status
	// ErrorMessage is the reason of the status Failed.
	ErrorMessage string
	CreatedAt    time.Time
	// Served reports whether the domain was ready when its deletion started.
	Served bool `json:",omitempty"`
	// Imported reports whether an import has created the domain.
	Imported bool `json:",omitempty"`
}

// ObjectID implements Object.
func (d Domain) ObjectID() string { return d.ID }

// URL returns the URL of the function at the hostname; empty until the domain is
// ready. A domain that is being deleted keeps its URL, as in recorded traffic.
func (d Domain) URL() string {
	if d.Status != Ready && (d.Status != Deleting || !d.Served) {
		return ""
	}
	return "https://" + d.Hostname
}

// MarkReady ends the creation of a domain: calls to the hostname are served. It
// reports whether the domain was pending.
func (d *Domain) MarkReady() bool { return d.endCreation(Ready, "") }

// Fail ends the creation of a domain that cannot be served. It reports whether the
// domain was pending.
func (d *Domain) Fail(message string) bool { return d.endCreation(Failed, message) }

func (d *Domain) endCreation(status Status, message string) bool {
	if d.Status != Pending {
		return false
	}
	d.Status, d.ErrorMessage = status, message
	return true
}

// MarkDeleting starts the deletion of a domain.
func (d *Domain) MarkDeleting() {
	d.Served = d.Status == Ready
	d.Status, d.ErrorMessage = Deleting, ""
}

// Names looks up the owners of hostnames in the DNS.
type Names interface {
	// Proof returns an empty text if the DNS shows that the owner of the hostname
	// assigned it to the function with the domain name, or to its project.
	// Otherwise it returns what the DNS shows instead, for the user. It returns an
	// error if the DNS could not be queried.
	Proof(ctx context.Context, hostname, domainName, projectID string) (missing string, err error)
}

// hostname returns a hostname in the form in which it is stored.
func (s *Service) hostname(given string) (string, error) {
	name, ok := grammar.Hostname(given)
	switch {
	case name == "":
		return "", required("hostname")
	case !ok:
		return "", malformed("hostname", "%.260q is not a hostname: write one such as api.example.com, without a scheme, a port or a wildcard", given)
	}
	if name == s.config.APIHost {
		return "", outOfBounds("hostname", "%s is reserved: it is the hostname of the API", name)
	}
	for _, region := range Regions {
		own := strings.ReplaceAll(s.config.Domain, "{region}", string(region))
		if name == own || strings.HasSuffix(name, "."+own) {
			return "", outOfBounds("hostname", "%s is below %s, which is reserved for the domain names of functions", name, own)
		}
	}
	return name, nil
}

// CreateDomain assigns a custom hostname to a function. If the service verifies
// names, the DNS must show that the owner of the hostname agrees. A domain of
// another project with the same hostname is deleted if the DNS no longer shows that
// for it.
func (s *Service) CreateDomain(ctx context.Context, scope Scope, functionID, hostname string) (Domain, error) {
	name, err := s.hostname(hostname)
	if err != nil {
		return Domain{}, err
	}
	f, err := get(ctx, s.config.Store, func(tx Tx) (Function, error) { return targetFunction(tx, scope, functionID) })
	if err != nil {
		return Domain{}, err
	}
	if err := s.verifyHostname(ctx, name, f); err != nil {
		return Domain{}, err
	}
	stale, err := s.staleClaim(ctx, name, f.ProjectID)
	if err != nil {
		return Domain{}, err
	}
	d := Domain{
		ID: s.config.NewID(), Region: scope.Region, ProjectID: f.ProjectID, FunctionID: functionID, Hostname: name,
		Status: Pending, CreatedAt: s.config.Now(),
	}
	return change(ctx, s.config.Store, func(tx Tx) (Domain, error) {
		f, err := targetFunction(tx, scope, functionID)
		if err != nil {
			return d, err
		}
		if err := releaseHostname(tx, d, stale); err != nil {
			return d, err
		}
		if err := s.domainQuotas(tx, f); err != nil {
			return d, err
		}
		return d, tx.Put(d)
	})
}

// verifyHostname returns an error for the user unless the DNS shows that the owner
// of the hostname assigned it to the function.
func (s *Service) verifyHostname(ctx context.Context, hostname string, f Function) error {
	if s.config.Names == nil {
		return nil
	}
	missing, err := s.config.Names.Proof(ctx, hostname, f.DomainName, f.ProjectID)
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

// staleClaim returns the ID of another project's domain with the hostname for which
// the DNS no longer shows a proof; empty if no such domain exists or the DNS is not certain.
func (s *Service) staleClaim(ctx context.Context, hostname, projectID string) (string, error) {
	if s.config.Names == nil {
		return "", nil
	}
	var claims []Domain
	var of Function
	err := s.config.Store.View(ctx, func(tx Tx) (err error) {
		claims, _, err = tx.Domains(Filter{Hostname: hostname}, Page{})
		if err != nil || len(claims) == 0 {
			return err
		}
		of, err = tx.Function(claims[0].FunctionID)
		return err
	})
	if err != nil || len(claims) == 0 || claims[0].ProjectID == projectID {
		return "", err
	}
	missing, err := s.config.Names.Proof(ctx, hostname, of.DomainName, of.ProjectID)
	if err != nil || missing == "" {
		return "", nil //nolint:nilerr // A claim that cannot be checked is kept.
	}
	return claims[0].ID, nil
}

// releaseHostname deletes the stale claim of a domain's hostname. It returns an
// error if another domain has the hostname.
func releaseHostname(tx Tx, d Domain, stale string) error {
	same, _, err := tx.Domains(Filter{Hostname: d.Hostname}, Page{})
	if err != nil || len(same) == 0 {
		return err
	}
	if same[0].ID == stale {
		return tx.Delete(same[0])
	}
	taken := &Error{Code: AlreadyExists, Message: "resource already exists", Resource: "domain"}
	// The ID is returned to the owner of the existing domain only.
	if same[0].ProjectID == d.ProjectID && same[0].Region == d.Region {
		taken.ResourceID = same[0].ID
	}
	return taken
}

// CustomDomain returns one domain.
func (s *Service) CustomDomain(ctx context.Context, scope Scope, id string) (Domain, error) {
	return get(ctx, s.config.Store, func(tx Tx) (Domain, error) { return findDomain(tx, scope, id) })
}

// findDomain returns a domain that the scope covers.
func findDomain(tx Tx, scope Scope, id string) (Domain, error) {
	d, err := tx.Domain(id)
	if err == nil && !scope.sees(d.Region, d.ProjectID) {
		return Domain{}, NotFoundError(domainResource, id)
	}
	return d, err
}

// Domains returns one page of the domains of a function, and the total number.
func (s *Service) Domains(ctx context.Context, scope Scope, filter Filter, page Page) ([]Domain, int, error) {
	page, err := checkAttachedPage(filter, page, "hostname")
	if err != nil {
		return nil, 0, err
	}
	return list(ctx, s.config.Store, scope, filter, func(tx Tx, f Filter) ([]Domain, int, error) { return tx.Domains(f, page) })
}

// DeleteDomain deletes a domain. When it returns, the hostname is no longer served.
func (s *Service) DeleteDomain(ctx context.Context, scope Scope, id string) (Domain, error) {
	return change(ctx, s.config.Store, func(tx Tx) (Domain, error) {
		d, err := findDomain(tx, scope, id)
		if err != nil {
			return d, err
		}
		d.MarkDeleting()
		return d, tx.Delete(d)
	})
}
