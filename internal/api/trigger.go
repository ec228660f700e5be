package api

import (
	"net/http"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/secret"
)

// triggerAnswer has the source that the trigger has, and no key for the others.
type triggerAnswer struct {
	ID           string           `json:"id"`
	Name         string           `json:"name"`
	Description  string           `json:"description"`
	FunctionID   string           `json:"function_id"`
	InputType    string           `json:"input_type"`
	Status       functions.Status `json:"status"`
	ErrorMessage nullable         `json:"error_message"`
	SQS          *sqsAnswer       `json:"scw_sqs_config,omitempty"`
	NATS         *natsAnswer      `json:"scw_nats_config,omitempty"`
	ExternalSQS  *externalAnswer  `json:"sqs_config,omitempty"`
}

type sqsAnswer struct {
	Queue        string   `json:"queue"`
	ProjectID    string   `json:"mnq_project_id"`
	Region       string   `json:"mnq_region"`
	CredentialID nullable `json:"mnq_credential_id"`
}

type natsAnswer struct {
	Subject      string   `json:"subject"`
	AccountID    string   `json:"mnq_nats_account_id"`
	ProjectID    string   `json:"mnq_project_id"`
	Region       string   `json:"mnq_region"`
	CredentialID nullable `json:"mnq_credential_id"`
}

// externalAnswer never has the secret key.
type externalAnswer struct {
	Endpoint  string `json:"endpoint"`
	QueueURL  string `json:"queue_url"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

func encodeTrigger(t functions.Trigger, _ touched) triggerAnswer {
	answer := triggerAnswer{
		ID: t.ID, Name: t.Name, Description: t.Description, FunctionID: t.FunctionID,
		Status: t.Status, ErrorMessage: nullable(t.ErrorMessage),
	}
	switch {
	case t.SQS != nil:
		answer.InputType = "scw_sqs"
		answer.SQS = &sqsAnswer{t.SQS.Queue, t.SQS.ProjectID, t.SQS.Region, nullable(t.SQS.CredentialID)}
	case t.NATS != nil:
		answer.InputType = "scw_nats"
		answer.NATS = &natsAnswer{t.NATS.Subject, t.NATS.AccountID, t.NATS.ProjectID, t.NATS.Region, nullable(t.NATS.CredentialID)}
	case t.ExternalSQS != nil:
		answer.InputType = "sqs"
		answer.ExternalSQS = &externalAnswer{Endpoint: t.ExternalSQS.Endpoint, QueueURL: t.ExternalSQS.QueueURL, AccessKey: t.ExternalSQS.AccessKey}
	}
	return answer
}

// externalRequest is a queue outside of the messaging product.
type externalRequest struct {
	Endpoint  string  `json:"endpoint"`
	QueueURL  string  `json:"queue_url"`
	AccessKey string  `json:"access_key"`
	SecretKey *string `json:"secret_key"`
}

func (e *externalRequest) queue() *functions.ExternalSQSQueue {
	if e == nil {
		return nil
	}
	return &functions.ExternalSQSQueue{Endpoint: e.Endpoint, QueueURL: e.QueueURL, AccessKey: e.AccessKey}
}

func (e *externalRequest) secretKey() *secret.String {
	if e == nil || e.SecretKey == nil {
		return nil
	}
	key := secret.New(*e.SecretKey)
	return &key
}

type (
	createTriggerRequest struct {
		FunctionID  string           `json:"function_id"`
		Name        string           `json:"name"`
		Description string           `json:"description"`
		SQS         *sqsRequest      `json:"scw_sqs_config"`
		NATS        *natsRequest     `json:"scw_nats_config"`
		ExternalSQS *externalRequest `json:"sqs_config"`
	}
	sqsRequest struct {
		Queue     string `json:"queue"`
		ProjectID string `json:"mnq_project_id"`
		Region    string `json:"mnq_region"`
	}
	natsRequest struct {
		Subject   string `json:"subject"`
		AccountID string `json:"mnq_nats_account_id"`
		ProjectID string `json:"mnq_project_id"`
		Region    string `json:"mnq_region"`
	}
)

func (a *API) createTrigger(r *http.Request, scope functions.Scope) (any, error) {
	var request createTriggerRequest

	if err := decode(r, &request); err != nil {
		return nil, err
	}
	c := functions.CreateTrigger{
		FunctionID: request.FunctionID, Name: request.Name, Description: request.Description,
		ExternalSQS: request.ExternalSQS.queue(),
	}
	if key := request.ExternalSQS.secretKey(); key != nil {
		c.SecretKey = *key
	}
	if s := request.SQS; s != nil {
		c.SQS = &functions.SQSQueue{Queue: s.Queue, ProjectID: s.ProjectID, Region: s.Region}
	}
	if n := request.NATS; n != nil {
		c.NATS = &functions.NATSSubject{Subject: n.Subject, AccountID: n.AccountID, ProjectID: n.ProjectID, Region: n.Region}
	}
	t, err := a.Service.CreateTrigger(r.Context(), scope, c)
	return encodeTrigger(t, created), err
}

func (a *API) getTrigger(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "trigger_id")
	if err != nil {
		return nil, err
	}
	t, err := a.Service.Trigger(r.Context(), scope, id)
	return encodeTrigger(t, read), err
}

type triggersAnswer struct {
	TotalCount int             `json:"total_count"`
	Triggers   []triggerAnswer `json:"triggers"`
}

func (a *API) listTriggers(r *http.Request, scope functions.Scope) (any, error) {
	page, err := queryPage(r)
	if err != nil {
		return nil, err
	}
	filter := queryFilter(r)
	filter.Name, filter.OrganizationID = "", ""
	found, total, err := a.Service.Triggers(r.Context(), scope, filter, page)
	return triggersAnswer{total, encodeAll(found, encodeTrigger)}, err
}

type updateTriggerRequest struct {
	Name        *string          `json:"name"`
	Description *string          `json:"description"`
	ExternalSQS *externalRequest `json:"sqs_config"`
}

func (a *API) updateTrigger(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "trigger_id")
	if err != nil {
		return nil, err
	}
	var request updateTriggerRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	t, err := a.Service.UpdateTrigger(r.Context(), scope, id, functions.UpdateTrigger{
		Name: request.Name, Description: request.Description,
		ExternalSQS: request.ExternalSQS.queue(), SecretKey: request.ExternalSQS.secretKey(),
	})
	return encodeTrigger(t, updated), err
}

func (a *API) deleteTrigger(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "trigger_id")
	if err != nil {
		return nil, err
	}
	t, err := a.Service.DeleteTrigger(r.Context(), scope, id)
	return encodeTrigger(t, updated), err
}
