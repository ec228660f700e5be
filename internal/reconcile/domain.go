package reconcile

import (
	"context"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

const (
	// verifyInterval is the time between two checks of a hostname, and
	// verifyTimeout how long after its creation a domain fails.
	verifyInterval = 5 * time.Second
	verifyTimeout  = 3 * time.Minute
	// certificateTimeout is how long obtaining a certificate may take.
	certificateTimeout = 2 * time.Minute
)

// domain marks a new domain as ready when the DNS assigns its hostname to the
// function and there is a certificate for it.
func (r *Reconciler) domain(ctx context.Context, owned functions.Store, id string) error {
	var d functions.Domain
	var f functions.Function
	err := owned.View(ctx, func(tx functions.Tx) (err error) {
		if d, err = tx.Domain(id); err == nil {
			f, err = tx.Function(d.FunctionID)
		}
		return err
	})
	if err != nil || d.Status != functions.Pending {
		return err
	}
	var failure string
	switch {
	case !r.verifyHostname(ctx, d, f):
		if r.config.Now().Sub(d.CreatedAt) < verifyTimeout {
			r.queue.addAfter(key{domainKind, id}, verifyInterval)
			return nil
		}
		// The texts of both failures are the real service's.
		failure = "failed to create domain: check that the domain correctly points to the function URL (https://" + f.DomainName + ")"
	case !r.obtainCertificate(ctx, d):
		failure = "failed to generate TLS certificates"
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return owned.Update(ctx, func(tx functions.Tx) error {
		d, err := tx.Domain(id)
		if err != nil {
			return err
		}
		changed := false
		if failure == "" {
			changed = d.MarkReady()
		} else {
			changed = d.Fail(failure)
		}
		if !changed {
			return nil
		}
		return tx.Put(d)
	})
}

// verifyHostname reports whether the DNS shows that the owner of the hostname
// assigned it to the function.
func (r *Reconciler) verifyHostname(ctx context.Context, d functions.Domain, f functions.Function) bool {
	if r.config.Names == nil {
		return true
	}
	missing, err := r.config.Names.Proof(ctx, d.Hostname, f.DomainName, f.ProjectID)
	if err != nil || missing != "" {
		r.config.Log.InfoContext(ctx, "the DNS does not assign the domain to its function", "domain_id", d.ID, "function_id", d.FunctionID, "hostname", d.Hostname, "dns", missing, "error", err)
		return false
	}
	return true
}

// obtainCertificate reports whether there is a certificate for the hostname, or none
// is needed.
func (r *Reconciler) obtainCertificate(ctx context.Context, d functions.Domain) bool {
	if r.config.Certificates == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, certificateTimeout)
	defer cancel()
	err := r.config.Certificates.Obtain(ctx, d.Hostname, d.ProjectID)
	if err != nil {
		r.config.Log.WarnContext(ctx, "no certificate could be obtained for the domain", "domain_id", d.ID, "function_id", d.FunctionID, "hostname", d.Hostname, "error", err)
	}
	return err == nil
}
