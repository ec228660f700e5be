package api

import (
	"net/http"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
)

type runtimeResponse struct {
	Name           string `json:"name"`
	Language       string `json:"language"`
	Version        string `json:"version"`
	DefaultHandler string `json:"default_handler"`
	CodeSample     string `json:"code_sample"`
	Status         string `json:"status"`
	StatusMessage  string `json:"status_message"`
	Extension      string `json:"extension"`
	Implementation string `json:"implementation"`
	LogoURL        string `json:"logo_url"`
}

// logosURL is the folder of the languages' logos in Scaleway's responses.
const logosURL = "https://scw-serverless-runtimes-logos-fr-par.s3.fr-par.scw.cloud/"

func encodeRuntime(r runtime.Runtime, implementation string) runtimeResponse {
	return runtimeResponse{
		Name: r.Name, Language: r.Language, Version: r.Version, DefaultHandler: r.DefaultHandler,
		CodeSample: r.CodeSample, Status: r.Status, StatusMessage: r.StatusMessage, Extension: r.Extension,
		Implementation: implementation, LogoURL: logosURL + r.Language + ".png",
	}
}

type runtimesResponse struct {
	Runtimes   []runtimeResponse `json:"runtimes"`
	TotalCount int               `json:"total_count"`
}

// listRuntimes returns all runtimes without paging, as Scaleway does. The implementation,
// which is empty there, is the toolchain of this server.
func (a *API) listRuntimes(_ *http.Request, _ functions.Scope) (any, error) {
	responses := make([]runtimeResponse, len(a.config.Runtimes))
	for i, r := range a.config.Runtimes {
		responses[i] = encodeRuntime(r, a.config.Toolchain(r.Language))
	}
	return runtimesResponse{responses, len(responses)}, nil
}
