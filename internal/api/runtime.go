package api

import (
	"net/http"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
)

type runtimeAnswer struct {
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

// logos is where Scaleway's answers say that the languages' logos are.
const logos = "https://scw-serverless-runtimes-logos-fr-par.s3.fr-par.scw.cloud/"

func encodeRuntime(r runtime.Runtime, implementation string) runtimeAnswer {
	return runtimeAnswer{
		Name: r.Name, Language: r.Language, Version: r.Version, DefaultHandler: r.DefaultHandler,
		CodeSample: r.CodeSample, Status: r.Status, StatusMessage: r.StatusMessage, Extension: r.Extension,
		Implementation: implementation, LogoURL: logos + r.Language + ".png",
	}
}

type runtimesAnswer struct {
	Runtimes   []runtimeAnswer `json:"runtimes"`
	TotalCount int             `json:"total_count"`
}

// listRuntimes gives all runtimes at once, as the real service does. The
// implementation, which is empty there, names the toolchain of this machine.
func (a *API) listRuntimes(_ *http.Request, _ functions.Scope) (any, error) {
	answers := make([]runtimeAnswer, len(a.Runtimes))
	for i, r := range a.Runtimes {
		answers[i] = encodeRuntime(r, a.Toolchain(r.Language))
	}
	return runtimesAnswer{answers, len(answers)}, nil
}
