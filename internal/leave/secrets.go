package leave

import (
	"fmt"
	"maps"
	"slices"

	"github.com/alexedwards/argon2id"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/goccy/go-yaml"

	"github.com/jeton-dev/jeton/internal/functions"
)

// Secrets are the values of secret variables, by owner and key. An owner is a namespace or
// a function: the ID, or NAMESPACE, or NAMESPACE/FUNCTION with the names.
type Secrets map[string]map[string]string

// ParseSecrets parses a YAML or JSON file with Secrets. Its errors do not quote the values.
func ParseSecrets(content []byte) (Secrets, error) {
	var s Secrets
	if err := yaml.Unmarshal(content, &s); err != nil {
		// The error of the parser contains lines of the file.
		return nil, fmt.Errorf("parse the secrets: want the form %q", "NAMESPACE/FUNCTION: {KEY: value}")
	}
	return s, nil
}

// checkedSecrets are the values that fit the hashes of the source.
type checkedSecrets struct {
	imported []functions.ImportedSecret
	values   map[string]string
	problems []string
}

// check compares the values for an owner, by ID, with the hashes of the source. A value that does
// not fit is not used.
func (s Secrets) check(hashes []*function.SecretHashedValue, id string) checkedSecrets {
	given := maps.Clone(s[id])
	checked := checkedSecrets{values: map[string]string{}}
	for _, h := range hashes {
		checked.imported = append(checked.imported, functions.ImportedSecret{Key: h.Key, Hash: h.HashedValue})
		value, known := given[h.Key]
		delete(given, h.Key)
		if !known {
			continue
		}
		if same, err := argon2id.ComparePasswordAndHash(value, h.HashedValue); err != nil || !same {
			checked.problems = append(checked.problems, fmt.Sprintf("the given value of %s does not fit the hash of the source: it is not used", h.Key))
			continue
		}
		checked.values[h.Key] = value
	}
	for _, unknown := range slices.Sorted(maps.Keys(given)) {
		checked.problems = append(checked.problems, fmt.Sprintf("a value is given for %s, which the source does not have", unknown))
	}
	return checked
}

// concurrentHashes is the number of concurrent comparisons: each one takes 64 MiB of memory.
const concurrentHashes = 2

func (r *Runner) checkSecrets(hashes []*function.SecretHashedValue, id string) checkedSecrets {
	r.hashing <- struct{}{}
	defer func() { <-r.hashing }()
	return r.secrets.check(hashes, id)
}
