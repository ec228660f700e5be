package client

import (
	"context"
	"errors"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// notValidated is the start of the API's message for a hostname whose DNS record
// does not point to the function, or whose record is not visible yet.
const notValidated = "could not validate domain"

// IsNotValidated reports whether the API refused a hostname because its DNS record
// does not point to the function.
func IsNotValidated(err error) bool {
	var answer *Error
	return errors.As(err, &answer) && strings.HasPrefix(answer.Message, notValidated)
}

// CreateDomain creates the domain. While the API answers that it does not see the
// DNS record, which may be new, the request is repeated until dnsTimeout has
// passed; then the API's last error is returned.
func (c *Client) CreateDomain(ctx context.Context, request *function.CreateDomainRequest, dnsTimeout time.Duration) (*function.Domain, error) {
	waiting, cancel := context.WithTimeout(ctx, dnsTimeout)
	defer cancel()
	created, refusal := c.functions.CreateDomain(request, Context(ctx))
	if !IsNotValidated(refusal) {
		return created, refusal
	}
	created, err := poll(waiting, func() (*function.Domain, bool, error) {
		var err error
		if created, err = c.functions.CreateDomain(request, Context(ctx)); IsNotValidated(err) {
			refusal = err
			return nil, false, nil
		}
		return created, true, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		// The API's error is more specific than a timeout.
		return nil, refusal
	}
	return created, err
}

// SettledDomain waits until the domain is not being created or deleted, and
// returns it. Known is its last known state and may be nil.
func (c *Client) SettledDomain(ctx context.Context, id regional.ID, known *function.Domain) (*function.Domain, error) {
	return c.domain(ctx, id).untilSettled(ctx, known)
}

// DeleteDomain deletes the domain and waits until it is gone. It returns nil if
// the domain does not exist.
func (c *Client) DeleteDomain(ctx context.Context, id regional.ID) error {
	deleted, err := c.functions.DeleteDomain(&function.DeleteDomainRequest{Region: id.Region, DomainID: id.UUID}, Context(ctx))
	if err != nil {
		return ignoreNotFound(err)
	}
	return c.domain(ctx, id).untilDeleted(ctx, deleted)
}

func (c *Client) domain(ctx context.Context, id regional.ID) waiter[function.Domain] {
	return waiter[function.Domain]{
		noun: "domain " + id.String(),
		get: func() (*function.Domain, error) {
			return c.functions.GetDomain(&function.GetDomainRequest{Region: id.Region, DomainID: id.UUID}, Context(ctx))
		},
		status: func(d *function.Domain) string { return d.Status.String() },
		transient: func(d *function.Domain) bool {
			switch d.Status {
			case function.DomainStatusCreating, function.DomainStatusPending, function.DomainStatusDeleting:
				return true
			default:
				return false
			}
		},
	}
}
