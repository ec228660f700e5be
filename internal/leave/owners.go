package leave

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/foreign"
)

// owners are the namespaces and functions of an account by ID and by name. Names are unique
// within a region of a project only.
type owners map[string][]owner

type owner struct{ id, place string }

func (o owners) add(name, id string, n *Namespace) {
	o[name] = append(o[name], owner{id, string(n.Region) + ", project " + n.ProjectID})
}

func ownersOf(a *Account) (namespaces, all owners) {
	namespaces, all = owners{}, owners{}
	for _, n := range a.Namespaces {
		for _, name := range []string{n.ID, n.Name} {
			namespaces.add(name, n.ID, n)
			all.add(name, n.ID, n)
		}
		for _, f := range n.Functions {
			all.add(f.ID, f.ID, n)
			all.add(n.Name+"/"+f.Name, f.ID, n)
		}
	}
	return namespaces, all
}

// id returns the ID of what a name on the command line or in a file refers to. Returns an
// error for a name that does not exist, since a misspelled name would look like a missing
// value, and for one that several owners have.
func (o owners) id(what, name, kind string) (string, error) {
	switch found := o[name]; len(found) {
	case 0:
		return "", fmt.Errorf("%s %q: the source has no such %s", what, name, kind)
	case 1:
		return found[0].id, nil
	default:
		var ids []string
		for _, one := range found {
			ids = append(ids, one.id+" ("+one.place+")")
		}
		return "", fmt.Errorf("%s %q: the source has %d with this name: use the ID instead: %s", what, name, len(found), strings.Join(ids, ", "))
	}
}

// resolve replaces names by IDs in keys and secrets. A value for the ID of an owner has
// priority over one for its name.
func (r *Runner) resolve() error {
	namespaces, all := ownersOf(r.account)
	r.keys, r.secrets = map[string][]string{}, Secrets{}
	for _, name := range slices.Sorted(maps.Keys(r.config.Keys)) {
		id, err := namespaces.id("public key of namespace", name, "namespace")
		if err != nil {
			return err
		}
		r.keys[id] = append(r.keys[id], r.config.Keys[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.config.Secrets)) {
		id, err := all.id("secrets of", name, "namespace or function")
		if err != nil {
			return err
		}
		values := maps.Clone(r.config.Secrets[name])
		if values == nil {
			values = map[string]string{}
		}
		for key, value := range r.secrets[id] {
			if _, given := values[key]; !given || name != id {
				values[key] = value
			}
		}
		r.secrets[id] = values
	}
	return nil
}

// keysOf returns the public keys of a namespace. With RequestKeys, the source is asked if the
// server has none, and not in a dry run: it has to create a token.
func (r *Runner) keysOf(ctx context.Context, n *Namespace) []string {
	keys := r.keys[n.ID]
	if len(keys) > 0 || !r.config.RequestKeys || r.config.DryRun || r.skips(Tokens) || len(n.Tokens) == 0 {
		return keys
	}
	// An error means that the namespace was not imported yet.
	if known, err := r.config.Target.ForeignTokens(ctx, n.ID); err == nil && known.Keys > 0 {
		return nil
	}
	text, err := r.config.Source.RequestKey(ctx, n)
	if err == nil {
		text, err = foreign.CheckKey(text)
	}
	if err != nil {
		r.problem(Problem{Namespace: n.Name, Kind: "namespace", ID: n.ID, Name: n.Name, Text: err.Error(), Failed: true})
		return nil
	}
	return []string{text}
}
