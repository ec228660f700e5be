package functions

import (
	"cmp"
	"context"
	"time"

	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/secret"
)

// A Trigger calls a function with each message of a queue or subject. Exactly one of
// its three sources is set.
type Trigger struct {
	ID          string
	Region      Region
	ProjectID   string
	NamespaceID string
	FunctionID  string
	Name        string
	Description string
	Status      Status
	// ErrorMessage is the reason of the status Failed.
	ErrorMessage string
	SQS          *SQSQueue         `json:",omitempty"`
	NATS         *NATSSubject      `json:",omitempty"`
	ExternalSQS  *ExternalSQSQueue `json:",omitempty"`
	CreatedAt    time.Time
	// SharedSource reports that the source belongs to another project than the
	// trigger, which the author of the trigger could access.
	SharedSource bool `json:",omitempty"`
}

// ObjectID implements Object.
func (t Trigger) ObjectID() string { return t.ID }

// OwnsSource reports whether the trigger may consume from its source: the source
// belongs to the trigger's project, or to a project that its author could access.
func (t Trigger) OwnsSource() bool {
	return t.sourceProject() == t.ProjectID || t.SharedSource
}

// sourceProject returns the project that the messages belong to.
func (t Trigger) sourceProject() string {
	switch {
	case t.SQS != nil:
		return t.SQS.ProjectID
	case t.NATS != nil:
		return t.NATS.ProjectID
	}
	return t.ProjectID // The keys of an external queue decide on the access.
}

// MarkReady ends the creation of a trigger and gives its source a credential ID. It
// reports whether the trigger was being created.
func (t *Trigger) MarkReady(credentialID string) bool {
	if t.Status != Creating {
		return false
	}
	switch {
	case t.SQS != nil:
		source := *t.SQS
		source.CredentialID = credentialID
		t.SQS = &source
	case t.NATS != nil:
		source := *t.NATS
		source.CredentialID = credentialID
		t.NATS = &source
	}
	t.Status, t.ErrorMessage = Ready, ""
	return true
}

// Fail ends the creation of a trigger that cannot consume messages. It reports
// whether the trigger was being created.
func (t *Trigger) Fail(message string) bool {
	if t.Status != Creating {
		return false
	}
	t.Status, t.ErrorMessage = Failed, message
	return true
}

// MarkDeleting starts the deletion of a trigger.
func (t *Trigger) MarkDeleting() { t.Status, t.ErrorMessage = Deleting, "" }

// An SQSQueue is a queue of a messaging project (MNQ). CredentialID is empty until
// the trigger is ready.
type SQSQueue struct {
	Queue        string
	ProjectID    string
	Region       string
	CredentialID string
}

// A NATSSubject is a subject of a messaging account (MNQ). CredentialID is empty
// until the trigger is ready.
type NATSSubject struct {
	Subject      string
	AccountID    string
	ProjectID    string
	Region       string
	CredentialID string
}

// An ExternalSQSQueue is a queue of any service with the SQS protocol. Sealed is the
// secret key, which is never returned.
type ExternalSQSQueue struct {
	Endpoint  string
	QueueURL  string
	AccessKey string
	Sealed    []byte
}

// TriggerKeyPurpose returns the purpose for which the secret key of a trigger's queue
// is sealed.
func TriggerKeyPurpose(triggerID string) string { return "secret key of trigger " + triggerID }

// CreateTrigger describes a new trigger. Exactly one of the sources is set. SecretKey
// belongs to ExternalSQS.
type CreateTrigger struct {
	FunctionID  string
	Name        string
	Description string
	SQS         *SQSQueue
	NATS        *NATSSubject
	ExternalSQS *ExternalSQSQueue
	SecretKey   secret.String
}

// UpdateTrigger changes the fields that are not nil. The source can only be changed
// if it is an ExternalSQSQueue; its empty fields stay unchanged.
type UpdateTrigger struct {
	Name        *string
	Description *string
	ExternalSQS *ExternalSQSQueue
	SecretKey   *secret.String
}

// maxSource is the maximum length of each text that describes a source, in bytes.
const maxSource = 1024

func (t Trigger) validate() error {
	if t.Name == "" {
		return required("name")
	}
	if len(t.Name) > maxName {
		return outOfBounds("name", "must be at most %d bytes, is %d", maxName, len(t.Name))
	}
	if err := validDescription(t.Description); err != nil {
		return err
	}
	sources := 0
	for _, given := range []bool{t.SQS != nil, t.NATS != nil, t.ExternalSQS != nil} {
		if given {
			sources++
		}
	}
	if sources != 1 {
		return &Error{
			Code: InvalidArgument, Argument: "config", Reason: "required",
			Message: "exactly one of scw_sqs_config, scw_nats_config and sqs_config must be given",
		}
	}
	return t.validSource()
}

func (t Trigger) validSource() error {
	type text struct{ argument, value string }
	var texts []text
	switch {
	case t.SQS != nil:
		texts = []text{{"scw_sqs_config.queue", t.SQS.Queue}}
	case t.NATS != nil:
		texts = []text{{"scw_nats_config.subject", t.NATS.Subject}}
	default:
		texts = []text{{"sqs_config.endpoint", t.ExternalSQS.Endpoint}, {"sqs_config.queue_url", t.ExternalSQS.QueueURL}, {"sqs_config.access_key", t.ExternalSQS.AccessKey}}
	}
	for _, given := range texts {
		if given.value == "" {
			return required(given.argument)
		}
		if len(given.value) > maxSource {
			return outOfBounds(given.argument, "must be at most %d bytes, is %d", maxSource, len(given.value))
		}
	}
	if t.NATS != nil && !grammar.IsSubject(t.NATS.Subject) {
		return malformed("scw_nats_config.subject", "must be names separated by dots, without spaces; "+
			"* matches one name, and > at the end matches all that follow")
	}
	return nil
}

// triggerNotFound returns the error of the real service, whose text differs from
// that for other objects.
func triggerNotFound(id string) error {
	return &Error{Code: NotFound, Resource: "trigger", ResourceID: id, Message: "trigger does not exist"}
}

// CreateTrigger creates a trigger of a function, which need not be deployed yet.
func (s *Service) CreateTrigger(ctx context.Context, scope Scope, c CreateTrigger) (Trigger, error) {
	created := Trigger{
		ID: s.config.NewID(), Region: scope.Region, FunctionID: c.FunctionID,
		Name: c.Name, Description: c.Description, Status: Creating, CreatedAt: s.config.Now(),
		SQS: c.SQS, NATS: c.NATS, ExternalSQS: c.ExternalSQS,
	}
	if err := created.validate(); err != nil {
		return Trigger{}, err
	}
	if created.ExternalSQS != nil {
		if c.SecretKey.Reveal() == "" {
			return Trigger{}, required("sqs_config.secret_key")
		}
		if err := s.sealKey(&created, c.SecretKey); err != nil {
			return Trigger{}, err
		}
	}
	return change(ctx, s.config.Store, func(tx Tx) (Trigger, error) {
		f, err := targetFunction(tx, scope, c.FunctionID)
		if err != nil {
			return Trigger{}, err
		}
		if err := s.triggerQuotas(tx, f); err != nil {
			return Trigger{}, err
		}
		t := created
		t.ProjectID, t.NamespaceID = f.ProjectID, f.NamespaceID
		if err := t.resolveSource(scope); err != nil {
			return Trigger{}, err
		}
		return t, tx.Put(t)
	})
}

// resolveSource fills in the project and region of the source. It returns an error
// if the scope does not cover the project, whether or not such a project exists.
func (t *Trigger) resolveSource(scope Scope) error {
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

// sealKey seals the secret key of a trigger's queue.
func (s *Service) sealKey(t *Trigger, key secret.String) error {
	if len(key.Reveal()) > maxSource {
		return outOfBounds("sqs_config.secret_key", "must be at most %d bytes", maxSource)
	}
	source := *t.ExternalSQS
	source.Sealed = s.config.Sealer.Seal([]byte(key.Reveal()), TriggerKeyPurpose(t.ID))
	t.ExternalSQS = &source
	return nil
}

// Trigger returns one trigger.
func (s *Service) Trigger(ctx context.Context, scope Scope, id string) (Trigger, error) {
	return get(ctx, s.config.Store, func(tx Tx) (Trigger, error) { return findTrigger(tx, scope, id) })
}

// findTrigger returns a trigger that the scope covers.
func findTrigger(tx Tx, scope Scope, id string) (Trigger, error) {
	t, err := tx.Trigger(id)
	if IsNotFound(err) || err == nil && !scope.sees(t.Region, t.ProjectID) {
		return Trigger{}, triggerNotFound(id)
	}
	return t, err
}

// Triggers returns one page of the triggers of a function, a namespace or, if the
// filter has neither, the project, and the total number.
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
	return list(ctx, s.config.Store, scope, filter, func(tx Tx, f Filter) ([]Trigger, int, error) { return tx.Triggers(f, page) })
}

// UpdateTrigger changes a trigger.
func (s *Service) UpdateTrigger(ctx context.Context, scope Scope, id string, u UpdateTrigger) (Trigger, error) {
	return change(ctx, s.config.Store, func(tx Tx) (Trigger, error) {
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
		return outOfBounds("sqs_config", "the trigger has another source: create a new trigger")
	}
	changed := *t.ExternalSQS
	if given := u.ExternalSQS; given != nil {
		changed.Endpoint = cmp.Or(given.Endpoint, changed.Endpoint)
		changed.QueueURL = cmp.Or(given.QueueURL, changed.QueueURL)
		changed.AccessKey = cmp.Or(given.AccessKey, changed.AccessKey)
	}
	// The stored key must not be sent to an endpoint that it was not given for.
	if changed.Endpoint != t.ExternalSQS.Endpoint && (u.SecretKey == nil || u.SecretKey.Reveal() == "") {
		return required("sqs_config.secret_key")
	}
	t.ExternalSQS = &changed
	if u.SecretKey != nil && u.SecretKey.Reveal() != "" {
		return s.sealKey(t, *u.SecretKey)
	}
	return nil
}

// DeleteTrigger deletes a trigger. When it returns, the trigger fetches no more
// messages.
func (s *Service) DeleteTrigger(ctx context.Context, scope Scope, id string) (Trigger, error) {
	return change(ctx, s.config.Store, func(tx Tx) (Trigger, error) {
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
