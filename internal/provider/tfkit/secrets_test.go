package tfkit_test

import (
	"context"
	"slices"
	"testing"

	"github.com/alexedwards/argon2id"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// cheap are parameters for hashes that are fast to verify; the service's need 64 MiB.
var cheap = &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}

// stored returns secrets as the service returns them.
func stored(t *testing.T, secrets map[string]string) []*sdk.SecretHashedValue {
	t.Helper()
	var hashed []*sdk.SecretHashedValue
	for key, value := range secrets {
		hash, err := argon2id.CreateHash(value, cheap)
		if err != nil {
			t.Fatal(err)
		}
		hashed = append(hashed, &sdk.SecretHashedValue{Key: key, HashedValue: hash})
	}
	return hashed
}

type secrets = map[string]string

func TestSecretUpdate_SendsOnlyChanges(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		update  tfkit.SecretUpdate
		current secrets
		want    []string
		names   []string
	}{
		"new object":               {tfkit.SecretUpdate{Plain: secrets{"a": "1"}, WriteOnly: secrets{"b": "2"}, SendWriteOnly: true}, nil, []string{"a=1", "b=2"}, []string{"b"}},
		"no change":                {tfkit.SecretUpdate{Plain: secrets{"a": "1"}, StoredNames: []string{"b"}}, secrets{"a": "1", "b": "2"}, nil, []string{"b"}},
		"changed and removed":      {tfkit.SecretUpdate{Plain: secrets{"a": "2"}}, secrets{"a": "1", "c": "3"}, []string{"a=2", "c deleted"}, nil},
		"write-only sent again":    {tfkit.SecretUpdate{WriteOnly: secrets{"b": "2"}, SendWriteOnly: true, StoredNames: []string{"b"}}, secrets{"b": "2"}, []string{"b=2"}, []string{"b"}},
		"write-only removed":       {tfkit.SecretUpdate{SendWriteOnly: true, StoredNames: []string{"b"}}, secrets{"b": "2"}, []string{"b deleted"}, nil},
		"write-only without send":  {tfkit.SecretUpdate{WriteOnly: secrets{"b": "3"}, StoredNames: []string{"b"}}, secrets{"b": "2"}, nil, []string{"b"}},
		"moved out of write-only":  {tfkit.SecretUpdate{Plain: secrets{"b": "3"}, StoredNames: []string{"b"}}, secrets{"b": "2"}, []string{"b=3"}, nil},
		"write-only next to plain": {tfkit.SecretUpdate{Plain: secrets{"a": "1"}, WriteOnly: secrets{"c": "3"}, SendWriteOnly: true, StoredNames: []string{"b"}}, secrets{"a": "1", "b": "2"}, []string{"b deleted", "c=3"}, []string{"c"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, change := range test.update.Changes(stored(t, test.current)) {
				if change.Value == nil {
					got = append(got, change.Key+" deleted")
				} else {
					got = append(got, change.Key+"="+*change.Value)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("Changes() = %q, want %q", got, test.want)
			}
			if got := test.update.NamesAfter(); !slices.Equal(got, test.names) {
				t.Errorf("NamesAfter() = %q, want %q", got, test.names)
			}
			for _, key := range slices.Concat(test.names, test.update.StoredNames) {
				if !slices.Contains(test.update.NamesDuring(), key) {
					t.Errorf("NamesDuring() = %q, want it to contain %q", test.update.NamesDuring(), key)
				}
			}
		})
	}
}

// privateState is a private state in memory.
type privateState map[string][]byte

func (p privateState) GetKey(_ context.Context, key string) ([]byte, diag.Diagnostics) {
	return p[key], nil
}

func (p privateState) SetKey(_ context.Context, key string, value []byte) diag.Diagnostics {
	p[key] = value
	return nil
}

func TestStoreNames_WritesNothingWithoutWriteOnlySecrets(t *testing.T) {
	t.Parallel()
	var diags diag.Diagnostics
	private := privateState{}
	tfkit.SecretUpdate{}.StoreNames(t.Context(), private, nil, &diags)
	if len(private) != 0 {
		t.Errorf("got private state %q, want none", private)
	}
	tfkit.SecretUpdate{}.StoreNames(t.Context(), private, []string{"a", "b"}, &diags)
	if got, want := tfkit.StoredSecretNames(t.Context(), private, &diags), []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("StoredSecretNames() = %q, want %q", got, want)
	}
	tfkit.SecretUpdate{StoredNames: []string{"a", "b"}}.StoreNames(t.Context(), private, nil, &diags)
	if got := tfkit.StoredSecretNames(t.Context(), private, &diags); len(got) != 0 {
		t.Errorf("StoredSecretNames() = %q, want none", got)
	}
	if diags.HasError() {
		t.Errorf("got diagnostics %v, want none", diags)
	}
}

func TestStoredSecretNames_ReportsInvalidData(t *testing.T) {
	t.Parallel()
	var diags diag.Diagnostics
	tfkit.StoredSecretNames(t.Context(), privateState{tfkit.WriteOnlySecrets: []byte("{")}, &diags)
	if !diags.HasError() {
		t.Error("got no error, want one about invalid private data")
	}
}

func TestHashSecrets_ReplacesValuesOnlyInARecordedApply(t *testing.T) {
	t.Parallel()
	planned := tfkit.MapValue(secrets{"a": "1", "b": "2"})
	current := stored(t, secrets{"a": "1"})
	var diags diag.Diagnostics
	if got := tfkit.HashSecrets(t.Context(), planned, current, &diags); !got.Equal(planned) {
		t.Errorf("without RecordHashing: got %s, want the planned secrets", got)
	}
	ctx, hashed := tfkit.RecordHashing(t.Context())
	if got := tfkit.HashSecrets(ctx, types.MapNull(types.StringType), nil, &diags); !got.IsNull() || hashed() {
		t.Errorf("without secrets: got %s, hashed %t, want null and false", got, hashed())
	}
	got := tfkit.MapStrings(tfkit.HashSecrets(ctx, planned, current, &diags))
	if !hashed() || diags.HasError() {
		t.Errorf("hashed() = %t, diagnostics %v, want true and none", hashed(), diags)
	}
	if got["a"] != current[0].HashedValue {
		t.Errorf("got %q for a, want the hash of the service", got["a"])
	}
	if match, err := argon2id.ComparePasswordAndHash("2", got["b"]); err != nil || !match {
		t.Errorf("got %q for b, want a hash of its value: %v", got["b"], err)
	}
}

func TestCheckSecrets_ReportsDuplicateKeys(t *testing.T) {
	t.Parallel()
	var diags diag.Diagnostics
	tfkit.CheckSecrets(tfkit.MapValue(secrets{"a": "1", "b": "s3cr3t"}), tfkit.MapValue(secrets{"b": "s3cr3t", "c": "3"}), &diags)
	want := `secret_environment_variables and secret_environment_variables_wo both contain "b": remove each key from one of them.`
	if len(diags) != 1 || diags[0].Detail() != want {
		t.Errorf("got %v, want %q", diags, want)
	}
}
