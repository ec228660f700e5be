package functions

import (
	"cmp"
	"context"

	"github.com/jeton-dev/jeton/internal/secret"
)

// CreateTrigger is what a new trigger is made from: exactly one of the sources.
// SecretKey goes with ExternalSQS.
type CreateTrigger struct {
	FunctionID  string
	Name        string
	Description string
	SQS         *SQSQueue
	NATS        *NATSSubject
	ExternalSQS *ExternalSQSQueue
	SecretKey   secret.String
}

// UpdateTrigger changes what is not nil. The source can be changed where it is
// an ExternalSQSQueue, and keeps what is empty.
type UpdateTrigger struct {
	Name        *string
	Description *string
	ExternalSQS *ExternalSQSQueue
	SecretKey   *secret.String
}

// triggerNotFound has the real service's text, which is not that of other
// objects.
func triggerNotFound(id string) error {
	return &Error{Code: NotFound, Resource: "trigger", ResourceID: id, Message: "trigger does not exist"}
}

// CreateTrigger makes a trigger for a function, which need not be deployed yet.
func (s *Service) CreateTrigger(ctx context.Context, scope Scope, c CreateTrigger) (Trigger, error) {
	t := Trigger{
		ID: s.NewID(), Region: scope.Region, FunctionID: c.FunctionID,
		Name: c.Name, Description: c.Description, Status: Creating, CreatedAt: s.Now(),
		SQS: c.SQS, NATS: c.NATS, ExternalSQS: c.ExternalSQS,
	}
	if err := t.validate(); err != nil {
		return Trigger{}, err
	}
	if t.ExternalSQS != nil {
		if c.SecretKey.Reveal() == "" {
			return Trigger{}, required("sqs_config.secret_key")
		}
		if err := s.sealKey(&t, c.SecretKey); err != nil {
			return Trigger{}, err
		}
	}
	return change(ctx, s.Store, func(tx Tx) (Trigger, error) {
		f, err := called(tx, scope, c.FunctionID)
		if err != nil {
			return t, err
		}
		if err := s.triggerQuotas(tx, f); err != nil {
			return t, err
		}
		made := t
		made.ProjectID, made.NamespaceID = f.ProjectID, f.NamespaceID
		if err := made.ownSource(scope); err != nil {
			return t, err
		}
		return made, tx.Put(made)
	})
}

// ownSource completes the source with the trigger's project and region, and
// refuses one of a project that the caller cannot see. The answer is the same
// whether or not there is such a project.
func (t *Trigger) ownSource(scope Scope) error {
	switch {
	case t.SQS != nil:
		source := *t.SQS
		source.ProjectID, source.Region = cmp.Or(source.ProjectID, t.ProjectID), cmp.Or(source.Region, string(scope.Region))
		t.SQS = &source
	case t.NATS != nil:
		source := *t.NATS
		source.ProjectID, source.Region = cmp.Or(source.ProjectID, t.ProjectID), cmp.Or(source.Region, string(scope.Region))
		t.NATS = &source
	}
	project := t.sourceProject()
	t.SharedSource = project != t.ProjectID
	if t.SharedSource && !scope.Covers(project) {
		return &Error{Code: PermissionDenied, Message: "insufficient permissions", Resource: "functions_trigger"}
	}
	return nil
}

func (s *Service) sealKey(t *Trigger, key secret.String) error {
	if len(key.Reveal()) > maxSource {
		return outOfBounds("sqs_config.secret_key", "must be at most %d bytes", maxSource)
	}
	t.ExternalSQS.Sealed = s.Sealer.Seal([]byte(key.Reveal()), TriggerKeyPurpose(t.ID))
	return nil
}

// Trigger returns one trigger.
func (s *Service) Trigger(ctx context.Context, scope Scope, id string) (Trigger, error) {
	return get(ctx, s.Store, func(tx Tx) (Trigger, error) { return findTrigger(tx, scope, id) })
}

func findTrigger(tx Tx, scope Scope, id string) (Trigger, error) {
	t, err := tx.Trigger(id)
	if IsNotFound(err) || err == nil && !scope.sees(t.Region, t.ProjectID) {
		return Trigger{}, triggerNotFound(id)
	}
	return t, err
}

// Triggers lists the triggers of a function, of a namespace or, where neither is
// given, of the project, and says how many there are.
func (s *Service) Triggers(ctx context.Context, scope Scope, filter Filter, page Page) ([]Trigger, int, error) {
	for argument, id := range map[string]string{"function_id": filter.FunctionID, "namespace_id": filter.NamespaceID, "project_id": filter.ProjectID} {
		if id != "" && !ValidID(id) {
			return nil, 0, malformed(argument, "must be a UUID")
		}
	}
	page, err := page.Checked()
	if err != nil {
		return nil, 0, err
	}
	return list(ctx, s.Store, scope, filter, func(tx Tx, f Filter) ([]Trigger, int, error) { return tx.Triggers(f, page) })
}

// UpdateTrigger changes a trigger.
func (s *Service) UpdateTrigger(ctx context.Context, scope Scope, id string, u UpdateTrigger) (Trigger, error) {
	return change(ctx, s.Store, func(tx Tx) (Trigger, error) {
		t, err := findTrigger(tx, scope, id)
		if err != nil {
			return t, err
		}
		set(&t.Name, u.Name)
		set(&t.Description, u.Description)
		if u.ExternalSQS != nil || u.SecretKey != nil {
			if err := s.updateExternal(&t, u); err != nil {
				return t, err
			}
		}
		if err := t.validate(); err != nil {
			return t, err
		}
		return t, tx.Put(t)
	})
}

func (s *Service) updateExternal(t *Trigger, u UpdateTrigger) error {
	if t.ExternalSQS == nil {
		return outOfBounds("sqs_config", "the trigger has another source: make a new trigger")
	}
	changed := *t.ExternalSQS
	if given := u.ExternalSQS; given != nil {
		changed.Endpoint = cmp.Or(given.Endpoint, changed.Endpoint)
		changed.QueueURL = cmp.Or(given.QueueURL, changed.QueueURL)
		changed.AccessKey = cmp.Or(given.AccessKey, changed.AccessKey)
	}
	// The key is for the service that it was given for, and for no other.
	if changed.Endpoint != t.ExternalSQS.Endpoint && (u.SecretKey == nil || u.SecretKey.Reveal() == "") {
		return required("sqs_config.secret_key")
	}
	t.ExternalSQS = &changed
	if u.SecretKey != nil && u.SecretKey.Reveal() != "" {
		return s.sealKey(t, *u.SecretKey)
	}
	return nil
}

// DeleteTrigger deletes a trigger. It consumes no more when this has returned.
func (s *Service) DeleteTrigger(ctx context.Context, scope Scope, id string) (Trigger, error) {
	return change(ctx, s.Store, func(tx Tx) (Trigger, error) {
		t, err := findTrigger(tx, scope, id)
		if IsNotFound(err) {
			// The text is the real service's, for DELETE alone.
			return t, &Error{
				Code: NotFound, Resource: "trigger", ResourceID: id,
				Message: "trigger does not exist: could not find trigger with id " + id,
			}
		}
		if err != nil {
			return t, err
		}
		t.MarkDeleting()
		return t, tx.Delete(t)
	})
}
