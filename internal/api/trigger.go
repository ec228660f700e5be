package api

import (
	"net/http"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/secret"
)

// triggerResponse is a trigger. Exactly one of the sources is present.
type triggerResponse struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	Description  string            `json:"description"`
	FunctionID   string            `json:"function_id"`
	InputType    string            `json:"input_type"`
	Status       functions.Status  `json:"status"`
	ErrorMessage nullable          `json:"error_message"`
	SQS          *sqsResponse      `json:"scw_sqs_config,omitempty"`
	NATS         *natsResponse     `json:"scw_nats_config,omitempty"`
	ExternalSQS  *externalResponse `json:"sqs_config,omitempty"`
}

func (t triggerResponse) objectID() string { return t.ID }

type sqsResponse struct {
	Queue        string   `json:"queue"`
	ProjectID    string   `json:"mnq_project_id"`
	Region       string   `json:"mnq_region"`
	CredentialID nullable `json:"mnq_credential_id"`
}

type natsResponse struct {
	Subject      string   `json:"subject"`
	AccountID    string   `json:"mnq_nats_account_id"`
	ProjectID    string   `json:"mnq_project_id"`
	Region       string   `json:"mnq_region"`
	CredentialID nullable `json:"mnq_credential_id"`
}

// externalResponse is an external queue. SecretKey is always empty.
type externalResponse struct {
	Endpoint  string `json:"endpoint"`
	QueueURL  string `json:"queue_url"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

func encodeTrigger(t functions.Trigger, _ access) triggerResponse {
	response := triggerResponse{
		ID: t.ID, Name: t.Name, Description: t.Description, FunctionID: t.FunctionID,
		Status: t.Status, ErrorMessage: nullable(t.ErrorMessage),
	}
	switch {
	case t.SQS != nil:
		response.InputType = "scw_sqs"
		response.SQS = &sqsResponse{t.SQS.Queue, t.SQS.ProjectID, t.SQS.Region, nullable(t.SQS.CredentialID)}
	case t.NATS != nil:
		response.InputType = "scw_nats"
		response.NATS = &natsResponse{t.NATS.Subject, t.NATS.AccountID, t.NATS.ProjectID, t.NATS.Region, nullable(t.NATS.CredentialID)}
	case t.ExternalSQS != nil:
		response.InputType = "sqs"
		response.ExternalSQS = &externalResponse{Endpoint: t.ExternalSQS.Endpoint, QueueURL: t.ExternalSQS.QueueURL, AccessKey: t.ExternalSQS.AccessKey}
	}
	return response
}

// externalRequest is a queue of any SQS-compatible service.
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
	t, err := a.config.Service.CreateTrigger(r.Context(), scope, c)
	return encodeTrigger(t, created), err
}

func (a *API) getTrigger(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "trigger_id")
	if err != nil {
		return nil, err
	}
	t, err := a.config.Service.Trigger(r.Context(), scope, id)
	return encodeTrigger(t, read), err
}

type triggersResponse struct {
	TotalCount int               `json:"total_count"`
	Triggers   []triggerResponse `json:"triggers"`
}

func (a *API) listTriggers(r *http.Request, scope functions.Scope) (any, error) {
	page, err := queryPage(r)
	if err != nil {
		return nil, err
	}
	filter := queryFilter(r)
	filter.Name, filter.OrganizationID = "", ""
	found, total, err := a.config.Service.Triggers(r.Context(), scope, filter, page)
	return triggersResponse{total, encodeAll(found, encodeTrigger)}, err
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
	t, err := a.config.Service.UpdateTrigger(r.Context(), scope, id, functions.UpdateTrigger{
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
	t, err := a.config.Service.DeleteTrigger(r.Context(), scope, id)
	return encodeTrigger(t, updated), err
}
