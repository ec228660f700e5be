package foreign

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// The errors of Adopt. All but ErrBusy and ErrUnavailable mean that the token is not valid
// for the call.
var (
	// ErrUnknown means that the text is not a token, or not one that waits for adoption.
	ErrUnknown = errors.New("no imported token has this ID")
	// ErrInvalid means that the signature or the scope of the text is not that of the
	// imported token.
	ErrInvalid = errors.New("the text is not that of the imported token")
	ErrScope   = errors.New("the token is for another function or namespace")
	ErrNotYet  = errors.New("the token is not valid yet")
	ErrExpired = errors.New("the token has expired")
	// ErrRefused means that the namespace has no key, or that it refuses foreign tokens.
	ErrRefused = errors.New("the namespace does not accept tokens of other issuers")
	// ErrBusy means that too many verifications are running or have failed.
	ErrBusy = errors.New("too many tokens are being verified")
	// ErrUnavailable means that the adoption could not be stored.
	ErrUnavailable = errors.New("the adoption could not be stored")
)

// A Call presents a token whose digest is unknown.
type Call struct {
	Text   string
	Digest functions.Digest
	// Function and Namespace are the called function and its namespace.
	Function, Namespace uuid.UUID
	From                netip.Addr
	Now                 time.Time
}

// Store is the part of store.Store that this package uses.
type Store interface {
	Update(ctx context.Context, write func(store.Tx) error) error
}

// Config has the dependencies of an Adopter. All fields but Limits are required.
type Config struct {
	Store  Store
	Limits Limits
	Log    *slog.Logger
}

// Adopter verifies and adopts foreign tokens. It is a store.Follower, and must follow after
// the table of the gateway. It is safe for concurrent use.
type Adopter struct {
	*view

	config  Config
	limiter *limiter
	flights singleflight.Group
}

var _ store.Follower = (*Adopter)(nil)

// New returns an Adopter. Returns an error if a required field is missing.
func New(c Config) (*Adopter, error) {
	if c.Store == nil || c.Log == nil {
		return nil, errors.New("configure adoption of tokens: Store and Log are required")
	}
	return &Adopter{view: newView(), config: c, limiter: newLimiter(c.Limits.withDefaults())}, nil
}

// storeTimeout is the maximum time for storing an adoption.
const storeTimeout = 10 * time.Second

// Adopt verifies a token and stores its digest. When it returns nil, the table of the
// gateway contains the digest, unless the token has been deleted since. It verifies a
// signature only for the ID of a token that waits for adoption and is for the called
// function. It returns the ID of that token with every error but ErrUnknown.
func (a *Adopter) Adopt(ctx context.Context, c Call) (uuid.UUID, error) {
	t, err := Parse(c.Text)
	if err != nil {
		return uuid.Nil, ErrUnknown
	}
	found, keys, ok := a.find(t.ID, c.Namespace)
	if !ok {
		return uuid.Nil, ErrUnknown
	}
	if err := found.check(t, c); err != nil {
		return t.ID, err
	}
	if len(keys) == 0 {
		return t.ID, ErrRefused
	}
	// Concurrent calls with the same text share one verification, which does not end with
	// the first caller.
	_, err, _ = a.flights.Do(string(c.Digest[:]), func() (any, error) {
		return nil, a.adopt(context.WithoutCancel(ctx), c, t, keys)
	})
	return t.ID, err
}

// check compares the claims with the imported token and the call.
func (p pending) check(t Text, c Call) error {
	switch {
	case t.NamespaceID != p.namespace || t.FunctionID != p.function:
		return ErrInvalid
	case p.function != uuid.Nil && p.function != c.Function, p.namespace != uuid.Nil && p.namespace != c.Namespace:
		return ErrScope
	case c.Now.Before(t.NotBefore):
		return ErrNotYet
	case !t.ExpiresAt.IsZero() && !c.Now.Before(t.ExpiresAt), !p.expiresAt.IsZero() && !c.Now.Before(p.expiresAt):
		return ErrExpired
	}
	return nil
}

func (a *Adopter) adopt(ctx context.Context, c Call, t Text, keys []key) error {
	end, err := a.limiter.begin(ctx, iam.ClientNetwork(c.From), c.Now)
	if err != nil {
		return err
	}
	if _, _, waiting := a.find(t.ID, c.Namespace); !waiting {
		end(false)
		return nil // An earlier call has adopted the token; the table decides.
	}
	signer, ok := verifier(t, keys)
	end(!ok)
	if !ok {
		return ErrInvalid
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err = a.config.Store.Update(ctx, func(tx store.Tx) error {
		return functions.AdoptToken(tx, functions.Adoption{
			TokenID: t.ID.String(), NamespaceID: c.Namespace.String(), Key: signer, Digest: c.Digest, ExpiresAt: t.ExpiresAt,
		}, c.Now)
	})
	switch code := functions.CodeOf(err); {
	case err == nil:
		a.config.Log.InfoContext(ctx, "adopted a token of another issuer", "token_id", t.ID)
		return nil
	case code == functions.NotFound:
		return ErrUnknown
	case code == functions.PermissionDenied:
		return ErrRefused
	}
	a.config.Log.WarnContext(ctx, "the adoption of a token could not be stored", "token_id", t.ID, "error", err)
	return ErrUnavailable
}

// verifier returns the key that verifies the signature of a token.
func verifier(t Text, keys []key) (pem string, ok bool) {
	for _, k := range keys {
		if t.Verify(k.public) == nil {
			return k.pem, true
		}
	}
	return "", false
}
