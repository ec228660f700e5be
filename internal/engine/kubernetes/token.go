package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Audience is the audience of the tokens of Pods. The API server refuses them.
const Audience = "jeton-agent"

// refetch is the minimum time between two fetches of keys.
const refetch = 10 * time.Second

// algorithms are those that Kubernetes signs tokens with.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512}

// A verifier verifies tokens of Pods with the keys of the API server, which it keeps. It is safe for
// concurrent use.
type verifier struct {
	fetch     func(ctx context.Context) (*jose.JSONWebKeySet, error)
	namespace string
	now       func() time.Time

	mu      sync.Mutex
	keys    *jose.JSONWebKeySet
	fetched time.Time
}

// podClaims are the claims of a token that is bound to a Pod.
type podClaims struct {
	Kubernetes struct {
		Namespace string `json:"namespace"`
		Pod       struct {
			Name string `json:"name"`
			UID  string `json:"uid"`
		} `json:"pod"`
	} `json:"kubernetes.io"`
}

// podUID returns the UID of the Pod that a token is bound to. Returns an error for a token that is
// not signed by the API server, expired, or for another audience or namespace.
func (v *verifier) podUID(ctx context.Context, token string) (string, error) {
	parsed, err := jwt.ParseSigned(token, algorithms)
	if err != nil {
		return "", errors.New("verify the Pod's token: it is no signed token") // The cause may contain the token.
	}
	if len(parsed.Headers) != 1 {
		return "", errors.New("verify the Pod's token: it has not one signature")
	}
	keys, err := v.key(ctx, parsed.Headers[0].KeyID)
	if err != nil {
		return "", fmt.Errorf("verify the Pod's token: %w", err)
	}
	for _, key := range keys {
		var registered jwt.Claims
		var claims podClaims
		if parsed.Claims(key.Key, &registered, &claims) != nil {
			continue
		}
		if err := registered.ValidateWithLeeway(jwt.Expected{AnyAudience: jwt.Audience{Audience}, Time: v.now()}, time.Minute); err != nil {
			return "", fmt.Errorf("verify the Pod's token: %w", err)
		}
		if registered.Expiry == nil || claims.Kubernetes.Namespace != v.namespace || claims.Kubernetes.Pod.UID == "" {
			return "", errors.New("verify the Pod's token: it does not expire, or is not bound to a Pod of the namespace")
		}
		return claims.Kubernetes.Pod.UID, nil
	}
	return "", errors.New("verify the Pod's token: no key of the API server has signed it")
}

// key returns the keys with an ID. If no key has the ID, it fetches the keys of the API
// server, at most once per refetch.
func (v *verifier) key(ctx context.Context, id string) ([]jose.JSONWebKey, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.keys != nil {
		if found := v.keys.Key(id); len(found) > 0 || v.now().Sub(v.fetched) < refetch {
			return found, nil
		}
	}
	keys, err := v.fetch(ctx)
	if err != nil {
		return nil, fmt.Errorf("fetch the keys of the API server: %w", err)
	}
	v.keys, v.fetched = keys, v.now()
	return keys.Key(id), nil
}
