package functions

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/grammar"
)

// Privacy determines who may call a function.
type Privacy string

// A public function answers every caller. A private function requires a token or an
// API key.
const (
	Public  Privacy = "public"
	Private Privacy = "private"
)

// HTTPOption determines the answer to calls over plain HTTP.
type HTTPOption string

// A function with HTTPRedirected redirects plain HTTP to HTTPS.
const (
	HTTPEnabled    HTTPOption = "enabled"
	HTTPRedirected HTTPOption = "redirected"
)

// A Function is code with a runtime, a handler, a privacy, limits and a domain
// name.
type Function struct {
	ID             string
	Region         Region
	ProjectID      string
	OrganizationID string
	NamespaceID    string
	Name           string
	Description    string
	Tags           []string
	Variables      map[string]string
	Secrets        []SecretVariable
	Status         Status
	// ErrorMessage is the reason of the status Failed. BuildMessage is the progress
	// of the current build.
	ErrorMessage string
	BuildMessage string
	MinScale     int
	MaxScale     int
	Runtime      string
	Handler      string
	// MemoryLimit is in megabytes, CPULimit in thousandths of a CPU.
	MemoryLimit      int
	CPULimit         int
	Timeout          time.Duration
	Privacy          Privacy
	HTTPOption       HTTPOption
	Sandbox          string
	PrivateNetworkID string
	// DomainName is the function's own hostname. It is set at creation and never
	// changes.
	DomainName string
	CreatedAt  time.Time
	UpdatedAt  time.Time
	// ReadyAt is when the function became ready for the first time; zero before.
	ReadyAt time.Time
	// Archive is the digest of the uploaded code; empty before the first upload.
	Archive string
	// Target is the digest of the code of the last deployment that was started, and
	// Generation counts those deployments. The results of older ones are dropped.
	Target     string
	Generation int64
	// Rebuild reports whether the current deployment builds its code even if it was
	// built before.
	Rebuild bool
	// FromScratch reports whether the current deployment uses nothing of earlier
	// builds, because the last deployment failed.
	FromScratch bool `json:",omitempty"`
	// Revision serves the calls; nil before the first deployment.
	Revision *Revision
	// Origin describes the source of an imported function; nil for other functions.
	Origin *Origin `json:",omitempty"`
}

// ObjectID implements Object.
func (f Function) ObjectID() string { return f.ID }

// Archives returns the digests of the code that the function needs: the uploaded
// code, the code of the last deployment, and that of the serving revision. Digests may
// be empty.
func (f Function) Archives() []string {
	needed := []string{f.Archive, f.Target}
	if f.Revision != nil {
		needed = append(needed, f.Revision.Archive)
	}
	return needed
}

// CreateFunction describes a new function. Zero values and nil pointers stand for
// defaults.
type CreateFunction struct {
	NamespaceID      string
	Name             string
	Description      string
	Tags             []string
	Variables        map[string]string
	Secrets          []SecretChange
	MinScale         *int
	MaxScale         *int
	Runtime          string
	Handler          string
	MemoryLimit      *int
	Timeout          *time.Duration
	Privacy          Privacy
	HTTPOption       HTTPOption
	Sandbox          string
	PrivateNetworkID string
}

// UpdateFunction changes the fields that are not zero or nil.
type UpdateFunction struct {
	Description *string
	Tags        *[]string
	Variables   *map[string]string
	Secrets     []SecretChange
	MinScale    *int
	MaxScale    *int
	Runtime     string
	Handler     *string
	MemoryLimit *int
	Timeout     *time.Duration
	Privacy     Privacy
	HTTPOption  HTTPOption
	Sandbox     string
	// PrivateNetworkID detaches the function if it is empty.
	PrivateNetworkID *string
	// Redeploy builds the uploaded code again.
	Redeploy bool
}

const (
	defaultMinScale    = 0
	defaultMaxScale    = 5 // recorded traffic of 2026; Scaleway's documentation says 20
	defaultMemoryLimit = 256
	defaultTimeout     = 5 * time.Minute
	defaultSandbox     = "v2"
)

// memoryTiers maps the valid memory limits, in megabytes, to their share of a CPU, in
// thousandths (Scaleway's documentation of February 2026).
var memoryTiers = map[int]int{128: 70, 256: 140, 512: 280, 1024: 560, 2048: 1120, 3072: 1680, 4096: 2240}

func validFunctionName(name string) error {
	if !grammar.IsFunctionName(name) {
		// The text is the real service's, of issue 254 of the Pulumi provider.
		return refused("function name must consist of lower case alphanumeric characters or '-', starts and ends with an alphanumeric character")
	}
	if len(name) > grammar.MaxFunctionName {
		return outOfBounds("name", "must be at most %d characters, is %d", grammar.MaxFunctionName, len(name))
	}
	return nil
}

// validate checks the function as it would be stored. The same rules apply to new and
// to changed functions.
func (f Function) validate(limits Limits) error {
	if _, ok := memoryTiers[f.MemoryLimit]; !ok {
		return outOfBounds("memory_limit", "must be one of %s, is %d", tierList(), f.MemoryLimit)
	}
	if f.MaxScale < 1 || f.MaxScale > limits.MaxScale {
		return outOfBounds("max_scale", "must be from 1 to %d, is %d", limits.MaxScale, f.MaxScale)
	}
	if f.MinScale < 0 || f.MinScale > f.MaxScale {
		return outOfBounds("min_scale", "must be from 0 to max_scale (%d), is %d", f.MaxScale, f.MinScale)
	}
	if f.Timeout < limits.MinTimeout || f.Timeout > limits.MaxTimeout {
		return outOfBounds("timeout", "must be from %s to %s, is %s", limits.MinTimeout, limits.MaxTimeout, f.Timeout)
	}
	if err := oneOf("privacy", f.Privacy, Public, Private); err != nil {
		return err
	}
	if err := oneOf("http_option", f.HTTPOption, HTTPEnabled, HTTPRedirected); err != nil {
		return err
	}
	if err := oneOf("sandbox", f.Sandbox, "v1", "v2"); err != nil {
		return err
	}
	if f.PrivateNetworkID != "" && !ValidID(f.PrivateNetworkID) {
		return malformed("private_network_id", "must be a UUID")
	}
	if err := validTags(f.Tags); err != nil {
		return err
	}
	return validVariables(f.Variables, limits)
}

func oneOf[T ~string](argument string, value T, choices ...T) error {
	if slices.Contains(choices, value) {
		return nil
	}
	names := make([]string, len(choices))
	for i, c := range choices {
		names[i] = string(c)
	}
	return outOfBounds(argument, "must be one of %s", strings.Join(names, ", "))
}

func tierList() string {
	var names []string
	for _, tier := range slices.Sorted(maps.Keys(memoryTiers)) {
		names = append(names, strconv.Itoa(tier))
	}
	return strings.Join(names, ", ")
}
