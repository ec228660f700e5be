package reconcile

import (
	"context"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

const (
	// lookAgain is how long a hostname that leads elsewhere rests before it is
	// looked up again, and misled for how long that goes on.
	lookAgain = 5 * time.Second
	misled    = 3 * time.Minute
	// certified is how long a certificate may take.
	certified = 2 * time.Minute
)

// domain makes a new domain ready once its hostname leads to the function and has
// a certificate.
func (r *Reconciler) domain(ctx context.Context, id string) error {
	var d functions.Domain
	var f functions.Function
	err := r.Store.View(ctx, func(tx functions.Tx) (err error) {
		if d, err = tx.Domain(id); err == nil {
			f, err = tx.Function(d.FunctionID)
		}
		return err
	})
	if err != nil || d.Status != functions.Pending {
		return err
	}
	end := (*functions.Domain).MarkReady
	switch {
	case !r.proven(ctx, d, f):
		if r.Now().Sub(d.CreatedAt) < misled {
			time.AfterFunc(lookAgain, func() { r.queue.add(key{domainKind, id}) })
			return nil
		}
		// The text is the real service's, and so is the other.
		end = failed("failed to create domain: check that the domain correctly points to the function URL (https://" + f.DomainName + ")")
	case !r.certified(ctx, d):
		if ctx.Err() != nil {
			return ctx.Err()
		}
		end = failed("failed to generate TLS certificates")
	}
	return r.Store.Update(ctx, func(tx functions.Tx) error {
		d, err := tx.Domain(id)
		if err != nil || d.Status != functions.Pending {
			return err
		}
		end(&d)
		return tx.Put(d)
	})
}

// failed is the transition of a domain that cannot serve for the given reason.
func failed(message string) func(*functions.Domain) {
	return func(d *functions.Domain) { d.Fail(message) }
}

// proven reports whether the DNS shows that the owner of the hostname assigned
// it to the function.
func (r *Reconciler) proven(ctx context.Context, d functions.Domain, f functions.Function) bool {
	if r.Names == nil {
		return true
	}
	missing, err := r.Names.Proof(ctx, d.Hostname, f.DomainName, f.ProjectID)
	if err != nil || missing != "" {
		r.Log.InfoContext(ctx, "the DNS does not assign the domain to its function", "domain_id", d.ID, "hostname", d.Hostname, "dns", missing, "error", err)
		return false
	}
	return true
}

// certified has a certificate for the hostname, if that is anybody's business
// here.
func (r *Reconciler) certified(ctx context.Context, d functions.Domain) bool {
	if r.Certificates == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, certified)
	defer cancel()
	err := r.Certificates.Obtain(ctx, d.Hostname, d.ProjectID)
	if err != nil {
		r.Log.WarnContext(ctx, "a domain has no certificate", "domain_id", d.ID, "hostname", d.Hostname, "error", err)
	}
	return err == nil
}
