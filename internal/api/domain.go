package api

import (
	"net/http"
	"strings"

	"github.com/jeton-dev/jeton/internal/functions"
)

type domainResponse struct {
	ID           string           `json:"id"`
	Hostname     string           `json:"hostname"`
	FunctionID   string           `json:"function_id"`
	URL          string           `json:"url"`
	Status       functions.Status `json:"status"`
	ErrorMessage nullable         `json:"error_message"`
}

func (d domainResponse) objectID() string { return d.ID }

// encodeDomain returns a domain with the URL at which it is served. Without TLS and without a
// public URL the scheme is that of the real service.
func (a *API) encodeDomain(d functions.Domain, _ access) domainResponse {
	address := d.URL()
	if address != "" && (a.config.Addresses.Gateway != "" || a.config.Addresses.TLSPort != "") {
		address = strings.ReplaceAll(a.config.Addresses.hostForm(), "{host}", d.Hostname)
	}
	return domainResponse{
		ID: d.ID, Hostname: d.Hostname, FunctionID: d.FunctionID, URL: address, Status: d.Status,
		ErrorMessage: nullable(d.ErrorMessage),
	}
}

type createDomainRequest struct {
	Hostname   string `json:"hostname"`
	FunctionID string `json:"function_id"`
}

func (a *API) createDomain(r *http.Request, scope functions.Scope) (any, error) {
	var request createDomainRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	d, err := a.config.Service.CreateDomain(r.Context(), scope, request.FunctionID, request.Hostname)
	return a.encodeDomain(d, created), err
}

func (a *API) getDomain(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "domain_id")
	if err != nil {
		return nil, err
	}
	d, err := a.config.Service.CustomDomain(r.Context(), scope, id)
	return a.encodeDomain(d, read), err
}

type domainsResponse struct {
	Domains    []domainResponse `json:"domains"`
	TotalCount int              `json:"total_count"`
}

func (a *API) listDomains(r *http.Request, scope functions.Scope) (any, error) {
	page, err := queryPage(r)
	if err != nil {
		return nil, err
	}
	found, total, err := a.config.Service.Domains(r.Context(), scope, functions.Filter{FunctionID: queryFilter(r).FunctionID}, page)
	return domainsResponse{encodeAll(found, a.encodeDomain), total}, err
}

func (a *API) deleteDomain(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "domain_id")
	if err != nil {
		return nil, err
	}
	d, err := a.config.Service.DeleteDomain(r.Context(), scope, id)
	return a.encodeDomain(d, updated), err
}
