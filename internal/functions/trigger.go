package functions

import (
	"time"

	"github.com/jeton-dev/jeton/internal/grammar"
)

// A Trigger calls a function with each message of a queue or of a subject.
// Exactly one of its three sources is set.
type Trigger struct {
	ID          string
	Region      Region
	ProjectID   string
	NamespaceID string
	FunctionID  string
	Name        string
	Description string
	Status      Status
	// ErrorMessage says why the status is Failed.
	ErrorMessage string
	SQS          *SQSQueue         `json:",omitempty"`
	NATS         *NATSSubject      `json:",omitempty"`
	ExternalSQS  *ExternalSQSQueue `json:",omitempty"`
	CreatedAt    time.Time
	// SharedSource reports that whoever made the trigger could see the project
	// of its source, which is not the trigger's own project.
	SharedSource bool `json:",omitempty"`
}

// OwnsSource reports whether the trigger may consume from its source: the source
// belongs to the trigger's own project, or to one that its author could see.
func (t Trigger) OwnsSource() bool {
	return t.sourceProject() == t.ProjectID || t.SharedSource
}

// sourceProject is the project that the messages belong to.
func (t Trigger) sourceProject() string {
	switch {
	case t.SQS != nil:
		return t.SQS.ProjectID
	case t.NATS != nil:
		return t.NATS.ProjectID
	}
	return t.ProjectID // The queue's own keys decide.
}

// ObjectID implements Object.
func (t Trigger) ObjectID() string { return t.ID }

// An SQSQueue is one of a messaging project (MNQ). CredentialID is empty until
// the trigger is ready.
type SQSQueue struct {
	Queue        string
	ProjectID    string
	Region       string
	CredentialID string
}

// A NATSSubject is one of a messaging account (MNQ). CredentialID is empty until
// the trigger is ready.
type NATSSubject struct {
	Subject      string
	AccountID    string
	ProjectID    string
	Region       string
	CredentialID string
}

// An ExternalSQSQueue is one of any service that speaks SQS. Sealed is the
// secret key, which is never given back.
type ExternalSQSQueue struct {
	Endpoint  string
	QueueURL  string
	AccessKey string
	Sealed    []byte
}

// TriggerKeyPurpose is what the secret key of a trigger's queue is sealed for.
func TriggerKeyPurpose(triggerID string) string { return "secret key of trigger " + triggerID }

// maxSource bounds each text that names a source of messages, in bytes.
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
		return malformed("scw_nats_config.subject", "must be names with dots between, without blanks, "+
			"where * stands for one name and > at the end for all that follow")
	}
	return nil
}
