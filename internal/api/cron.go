package api

import (
	"encoding/json"
	"net/http"

	"github.com/jeton-dev/jeton/internal/functions"
)

type cronResponse struct {
	ID         string           `json:"id"`
	FunctionID string           `json:"function_id"`
	Schedule   string           `json:"schedule"`
	Args       json.RawMessage  `json:"args"`
	Status     functions.Status `json:"status"`
	Name       string           `json:"name"`
}

func (c cronResponse) objectID() string { return c.ID }

func encodeCron(c functions.Cron, _ access) cronResponse {
	return cronResponse{ID: c.ID, FunctionID: c.FunctionID, Schedule: c.Schedule, Args: c.Args, Status: c.Status, Name: c.Name}
}

type createCronRequest struct {
	FunctionID string          `json:"function_id"`
	Schedule   string          `json:"schedule"`
	Args       json.RawMessage `json:"args"`
	Name       string          `json:"name"`
}

func (a *API) createCron(r *http.Request, scope functions.Scope) (any, error) {
	var request createCronRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	c, err := a.config.Service.CreateCron(r.Context(), scope, functions.CreateCron{
		FunctionID: request.FunctionID, Name: request.Name, Schedule: request.Schedule, Args: request.Args,
	})
	return encodeCron(c, created), err
}

func (a *API) getCron(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "cron_id")
	if err != nil {
		return nil, err
	}
	c, err := a.config.Service.Cron(r.Context(), scope, id)
	return encodeCron(c, read), err
}

type cronsResponse struct {
	Crons      []cronResponse `json:"crons"`
	TotalCount int            `json:"total_count"`
}

func (a *API) listCrons(r *http.Request, scope functions.Scope) (any, error) {
	page, err := queryPage(r)
	if err != nil {
		return nil, err
	}
	found, total, err := a.config.Service.Crons(r.Context(), scope, functions.Filter{FunctionID: queryFilter(r).FunctionID}, page)
	return cronsResponse{encodeAll(found, encodeCron), total}, err
}

type updateCronRequest struct {
	FunctionID *string         `json:"function_id"`
	Schedule   *string         `json:"schedule"`
	Args       json.RawMessage `json:"args"`
	Name       *string         `json:"name"`
}

func (a *API) updateCron(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "cron_id")
	if err != nil {
		return nil, err
	}
	var request updateCronRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	if string(request.Args) == "null" {
		request.Args = nil
	}
	c, err := a.config.Service.UpdateCron(r.Context(), scope, id, functions.UpdateCron{
		FunctionID: request.FunctionID, Name: request.Name, Schedule: request.Schedule, Args: request.Args,
	})
	return encodeCron(c, updated), err
}

func (a *API) deleteCron(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "cron_id")
	if err != nil {
		return nil, err
	}
	c, err := a.config.Service.DeleteCron(r.Context(), scope, id)
	return encodeCron(c, updated), err
}
