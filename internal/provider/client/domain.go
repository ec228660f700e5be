package client

import (
	"context"
	"errors"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// notValidated begins the message with which the service refuses a hostname that
// does not lead to the function, or not yet.
const notValidated = "could not validate domain"

// IsNotValidated reports whether the service has refused a hostname because it
// does not lead to the function.
func IsNotValidated(err error) bool {
	var answer *Error
	return errors.As(err, &answer) && strings.HasPrefix(answer.Message, notValidated)
}

// CreateDomain makes the domain. A record that was made a moment ago may not be
// seen everywhere: for as long as patience the service is asked again where it
// does not see it.
func (c *Client) CreateDomain(ctx context.Context, request *function.CreateDomainRequest, patience time.Duration) (*function.Domain, error) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	made, refusal := c.functions.CreateDomain(request, Context(ctx))
	if !IsNotValidated(refusal) {
		return made, refusal
	}
	made, err := poll(waiting, func() (*function.Domain, bool, error) {
		var err error
		if made, err = c.functions.CreateDomain(request, Context(ctx)); IsNotValidated(err) {
			refusal = err
			return nil, false, nil
		}
		return made, true, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		// What the service said last says more than that time is up.
		return nil, refusal
	}
	return made, err
}

// SettledDomain returns the domain once it is neither made nor deleted. Known is
// its latest known state, and may be nil.
func (c *Client) SettledDomain(ctx context.Context, id regional.ID, known *function.Domain) (*function.Domain, error) {
	return c.domain(ctx, id).settle(ctx, known)
}

// DeleteDomain deletes the domain and returns once it is no more. A domain that
// is gone already is no error.
func (c *Client) DeleteDomain(ctx context.Context, id regional.ID) error {
	deleted, err := c.functions.DeleteDomain(&function.DeleteDomainRequest{Region: id.Region, DomainID: id.UUID}, Context(ctx))
	if err != nil {
		return ignoreNotFound(err)
	}
	return c.domain(ctx, id).vanish(ctx, deleted)
}

func (c *Client) domain(ctx context.Context, id regional.ID) object[function.Domain] {
	return object[function.Domain]{
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
