package functions

import (
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/grammar"
)

// A Domain is a hostname of a function besides its own.
type Domain struct {
	ID         string
	Region     Region
	ProjectID  string
	FunctionID string
	Hostname   string
	Status     Status
	// ErrorMessage says why the status is Failed.
	ErrorMessage string
	CreatedAt    time.Time
	// Served reports that the domain was ready at some time.
	Served bool `json:",omitempty"`
}

// ObjectID implements Object.
func (d Domain) ObjectID() string { return d.ID }

// URL is where the function answers under the domain; empty until it does. A
// domain that is being deleted keeps it, as recorded traffic shows.
func (d Domain) URL() string {
	if d.Status != Ready && (d.Status != Deleting || !d.Served) {
		return ""
	}
	return "https://" + d.Hostname
}

// hostname returns the name in the form in which it is kept.
func (s *Service) hostname(given string) (string, error) {
	name, ok := grammar.Hostname(given)
	switch {
	case name == "":
		return "", required("hostname")
	case !ok:
		return "", malformed("hostname", "%.260q is no host name: write one such as api.example.com, without a scheme, a port or a wildcard", given)
	}
	for _, region := range Regions {
		own := strings.ReplaceAll(s.Domain, "{region}", string(region))
		if name == own || strings.HasSuffix(name, "."+own) {
			return "", outOfBounds("hostname", "%s is below %s, where the functions' own names are", name, own)
		}
	}
	return name, nil
}
