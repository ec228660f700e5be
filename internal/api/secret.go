package api

import (
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/secret"
)

// secretRequest is a secret variable to set or, without a value, to remove.
type secretRequest struct {
	Key   string  `json:"key"`
	Value *string `json:"value"`
}

// hashedSecret is a secret variable in a response.
type hashedSecret struct {
	Key         string `json:"key"`
	HashedValue string `json:"hashed_value"`
}

func secretChanges(requests []secretRequest) []functions.SecretChange {
	changes := make([]functions.SecretChange, len(requests))
	for i, request := range requests {
		changes[i].Key = request.Key
		if request.Value != nil {
			value := secret.New(*request.Value)
			changes[i].Value = &value
		}
	}
	return changes
}

func hashedSecrets(variables []functions.SecretVariable) []hashedSecret {
	hashed := make([]hashedSecret, len(variables))
	for i, variable := range variables {
		hashed[i] = hashedSecret{Key: variable.Key, HashedValue: variable.Hash}
	}
	return hashed
}
