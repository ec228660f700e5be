package reconcile

import (
	"context"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// token makes a new token ready: nothing is left to do for it, the state is
// there because clients know it.
func (r *Reconciler) token(ctx context.Context, id string) error {
	return r.Store.Update(ctx, func(tx functions.Tx) error {
		t, err := tx.Token(id)
		if err != nil || t.Status != functions.Creating {
			return err
		}
		t.Status = functions.Ready
		return tx.Put(t)
	})
}

// cron makes a new or changed cron ready; whoever calls by schedules follows the
// changes.
func (r *Reconciler) cron(ctx context.Context, id string) error {
	return r.Store.Update(ctx, func(tx functions.Tx) error {
		c, err := tx.Cron(id)
		if err != nil || c.Status != functions.Pending {
			return err
		}
		c.Status = functions.Ready
		return tx.Put(c)
	})
}

// trigger makes a new trigger ready, if there is somebody from whom to have its
// messages. The credential's ID is what clients wait to see; no service of ours
// gives credentials out under it.
func (r *Reconciler) trigger(ctx context.Context, id string) error {
	return r.Store.Update(ctx, func(tx functions.Tx) error {
		t, err := tx.Trigger(id)
		if err != nil || t.Status != functions.Creating {
			return err
		}
		if err := r.Sources.Check(t); err != nil {
			t.Status, t.ErrorMessage = functions.Failed, err.Error()
			return tx.Put(t)
		}
		switch {
		case t.SQS != nil:
			t.SQS.CredentialID = r.NewID()
		case t.NATS != nil:
			t.NATS.CredentialID = r.NewID()
		}
		t.Status = functions.Ready
		return tx.Put(t)
	})
}

const (
	// lookAgain is how long a hostname that leads elsewhere rests before it is
	// looked up again, and misled for how long that goes on.
	lookAgain = 5 * time.Second
	misled    = 3 * time.Minute
)

// domain makes a new domain ready once its hostname leads to the function.
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
	status, message := functions.Ready, ""
	if r.Names != nil {
		if err := r.Names.PointsTo(ctx, d.Hostname, f.DomainName); err != nil {
			r.Log.InfoContext(ctx, "a domain does not lead to its function", "domain_id", id, "hostname", d.Hostname, "error", err)
			if r.Now().Sub(d.CreatedAt) < misled {
				time.AfterFunc(lookAgain, func() { r.queue.add(key{domainKind, id}) })
				return nil
			}
			// The text is the real service's.
			status = functions.Failed
			message = "failed to create domain: check that the domain correctly points to the function URL (https://" + f.DomainName + ")"
		}
	}
	return r.Store.Update(ctx, func(tx functions.Tx) error {
		d, err := tx.Domain(id)
		if err != nil || d.Status != functions.Pending {
			return err
		}
		d.Status, d.ErrorMessage = status, message
		return tx.Put(d)
	})
}
