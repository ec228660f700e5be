package admin

import (
	"context"
	"errors"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/usage"
)

// Store is the part of store.Store that this package uses.
type Store interface {
	View(ctx context.Context, read func(store.Tx) error) error
	Update(ctx context.Context, write func(store.Tx) error) error
	// LastUses returns the last use of each ID. An ID without a use is missing.
	LastUses(ctx context.Context, kind usage.Kind, ids []string) (map[string]time.Time, error)
}

// Uses has uses that are not stored yet.
type Uses interface {
	// Flush stores all of them.
	Flush(context.Context)
}

// Config has the dependencies of a Service. All fields but MaxProjects are required.
type Config struct {
	Store Store
	Uses  Uses
	Now   func() time.Time
	NewID func() string
	// MaxProjects is the maximum number of projects; zero means no limit.
	MaxProjects int
}

// Service implements the operations on projects and API keys. The methods are safe for
// concurrent use.
type Service struct{ config Config }

// NewService returns a Service. Returns an error if a required field is missing.
func NewService(c Config) (*Service, error) {
	if c.Store == nil || c.Uses == nil || c.Now == nil || c.NewID == nil {
		return nil, errors.New("configure administration: Store, Uses, Now and NewID are required")
	}
	return &Service{config: c}, nil
}

const (
	projectResource = "Project"
	keyResource     = "API key"
)

// view runs one read and returns its result.
func view[T any](ctx context.Context, s Store, read func(store.Tx) (T, error)) (T, error) {
	var found T
	err := s.View(ctx, func(tx store.Tx) (err error) {
		found, err = read(tx)
		return err
	})
	return found, err
}

// update runs one write and returns its result.
func update[T any](ctx context.Context, s Store, write func(store.Tx) (T, error)) (T, error) {
	var changed T
	err := s.Update(ctx, func(tx store.Tx) (err error) {
		changed, err = write(tx)
		return err
	})
	return changed, err
}

// lastUses returns the last uses of objects, including those that were not stored yet.
func (s *Service) lastUses(ctx context.Context, kind usage.Kind, ids []string) (map[string]time.Time, error) {
	s.config.Uses.Flush(ctx)
	return s.config.Store.LastUses(ctx, kind, ids)
}

func invalid(argument, reason, text string) error {
	return &functions.Error{Code: functions.InvalidArgument, Argument: argument, Reason: reason, Message: text}
}

// refused returns the error for the caller of a rule of package iam.
func refused(err error) error {
	if field, ok := errors.AsType[*iam.FieldError](err); ok {
		return invalid(field.Field, field.Reason, field.Message)
	}
	return err
}
