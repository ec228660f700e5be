package functions_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
)

// A zone implements functions.Names. It maps hostnames to their owners.
type zone map[string][]string

var errNoAnswer = errors.New("the server does not answer")

func (z zone) Proof(_ context.Context, hostname, domainName, projectID string) (string, error) {
	owners := z[hostname]
	switch {
	case slices.Contains(owners, "broken"):
		return "", errNoAnswer
	case slices.Contains(owners, domainName) || slices.Contains(owners, projectID):
		return "", nil
	}
	return hostname + " is not assigned", nil
}

func TestCreateDomain_AssignsHostnameToItsOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(otherProject)
	names := zone{}
	w.configure(func(c *functions.Config) { c.Names = names })
	mine, theirs := w.functionOf(paris, "mine"), w.functionOf(other, "theirs")
	const hostname = "api.example.com"
	create := func(scope functions.Scope, f functions.Function) (functions.Domain, error) {
		return w.CreateDomain(w.t.Context(), scope, f.ID, hostname)
	}
	_, err := create(paris, mine)
	wantCode(t, err, functions.InvalidArgument)

	names[hostname] = []string{mine.DomainName}
	first, err := create(paris, mine)
	if err != nil {
		t.Fatal(err)
	}
	_, err = create(other, theirs)
	wantCode(t, err, functions.InvalidArgument)

	// If both projects have a proof, the first claim is kept.
	names[hostname] = []string{mine.DomainName, otherProject.ID}
	_, err = create(other, theirs)
	wantCode(t, err, functions.AlreadyExists)

	// The owner assigned the hostname to another project.
	names[hostname] = []string{theirs.DomainName}
	second, err := create(other, theirs)
	if err != nil || second.ProjectID != otherProject.ID {
		t.Fatalf("got %+v, %v", second, err)
	}
	_, err = w.CustomDomain(t.Context(), paris, first.ID)
	wantCode(t, err, functions.NotFound)

	// A domain of the same project is never replaced.
	names[hostname] = []string{otherProject.ID}
	_, err = create(other, theirs)
	wantCode(t, err, functions.AlreadyExists)
}

func TestCreateDomain_KeepsClaimThatCannotBeChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(otherProject)
	mine, theirs := w.functionOf(paris, "mine"), w.functionOf(other, "theirs")
	if _, err := w.CreateDomain(t.Context(), paris, mine.ID, "api.example.com"); err != nil {
		t.Fatal(err)
	}
	w.configure(func(c *functions.Config) { c.Names = zone{"api.example.com": {"broken"}} })
	_, err := w.CreateDomain(t.Context(), other, theirs.ID, "api.example.com")
	wantCode(t, err, functions.InvalidArgument)
}
