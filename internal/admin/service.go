package admin

import (
	"context"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
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

// Service implements the operations on projects and API keys. All fields but
// MaxProjects must be set. The methods are safe for concurrent use.
type Service struct {
	Store Store
	Uses  Uses
	Now   func() time.Time
	NewID func() string
	// MaxProjects is the maximum number of projects; zero means no limit.
	MaxProjects int
}

const (
	projectResource = "Project"
	keyResource     = "API key"

	// maxText is the maximum length of names and descriptions, in bytes.
	maxText = 200
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
	s.Uses.Flush(ctx)
	return s.Store.LastUses(ctx, kind, ids)
}

func invalid(argument, reason, text string) error {
	return &functions.Error{Code: functions.InvalidArgument, Argument: argument, Reason: reason, Message: text}
}

func validText(argument, text string) error {
	if len(text) > maxText {
		return invalid(argument, "constraint", "is too long: at most 200 bytes")
	}
	for _, r := range text {
		// The text is printed on terminals.
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return invalid(argument, "format", "must be one line of text without control characters")
		}
	}
	return nil
}
