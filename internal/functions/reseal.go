package functions

import (
	"maps"
	"slices"
)

// A Resealer seals a value with the current key, and reports whether it was sealed with
// another one before.
type Resealer func(sealed []byte, purpose string) (resealed []byte, changed bool, err error)

// Reseal returns the namespace with all its values sealed with the current key, and how
// many were not. keyPurpose is the purpose of PrivateKey. The namespace is not updated in
// the sense of the API.
func (n Namespace) Reseal(keyPurpose string, reseal Resealer) (Namespace, int, error) {
	r := resealing{reseal: reseal}
	if n.PrivateKey != nil {
		n.PrivateKey = r.value(n.PrivateKey, keyPurpose)
	}
	n.Secrets = r.variables(n.Secrets)
	return n, r.count, r.err
}

// Reseal returns the function with all its values sealed with the current key, and how
// many were not.
func (f Function) Reseal(reseal Resealer) (Function, int, error) {
	r := resealing{reseal: reseal}
	f.Secrets = r.variables(f.Secrets)
	if f.Revision != nil {
		revision := *f.Revision
		revision.Secrets = maps.Clone(revision.Secrets)
		for key, sealed := range revision.Secrets {
			revision.Secrets[key] = r.value(sealed, VariablePurpose(key))
		}
		f.Revision = &revision
	}
	return f, r.count, r.err
}

// Reseal returns the trigger with all its values sealed with the current key, and how many
// were not.
func (t Trigger) Reseal(reseal Resealer) (Trigger, int, error) {
	r := resealing{reseal: reseal}
	if t.ExternalSQS != nil && t.ExternalSQS.Sealed != nil {
		source := *t.ExternalSQS
		source.Sealed = r.value(source.Sealed, TriggerKeyPurpose(t.ID))
		t.ExternalSQS = &source
	}
	return t, r.count, r.err
}

// A resealing counts values, and keeps the first error.
type resealing struct {
	reseal Resealer
	count  int
	err    error
}

func (r *resealing) value(sealed []byte, purpose string) []byte {
	resealed, changed, err := r.reseal(sealed, purpose)
	if changed {
		r.count++
	}
	if r.err == nil {
		r.err = err
	}
	return resealed
}

func (r *resealing) variables(all []SecretVariable) []SecretVariable {
	all = slices.Clone(all)
	for i, v := range all {
		if v.Sealed != nil {
			all[i].Sealed = r.value(v.Sealed, VariablePurpose(v.Key))
		}
	}
	return all
}
