package admin

import (
	"context"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/usage"
)

// Store is what the service needs of the store.
type Store interface {
	// Projects and APIKeys return all of them, oldest first.
	Projects(context.Context) ([]iam.Project, error)
	APIKeys(context.Context) ([]iam.APIKey, error)
	View(ctx context.Context, read func(functions.Tx) error) error
	Update(ctx context.Context, write func(functions.Tx) error) error
	// LastUses returns when things were used last, by their IDs. Those are
	// missing that never were.
	LastUses(ctx context.Context, kind usage.Kind, ids []string) (map[string]time.Time, error)
}

// Uses knows of uses that the store does not know of yet.
type Uses interface {
	// Flush has the store know of all of them.
	Flush(context.Context)
}

// Service holds the rules of projects and API keys. All exported fields must be
// set.
type Service struct {
	Store Store
	Uses  Uses
	Now   func() time.Time
	NewID func() string
	// MaxProjects is the most projects that can be made; zero for any number.
	MaxProjects int

	// mu lets one change be made at a time: nobody else writes these objects,
	// so that what a change has read is so still when it is committed.
	mu sync.Mutex
}

const (
	projectResource = "Project"
	keyResource     = "API key"

	// maxText bounds names and descriptions, in bytes.
	maxText = 200
)

// lastUses returns when things were used last, up to this very minute.
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
		// It is printed on terminals.
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return invalid(argument, "format", "must be one line of text without control characters")
		}
	}
	return nil
}
