package client

import (
	"context"
	"sync"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

const (
	// single is how many tokens of a scope are asked for one by one before all
	// of them are listed: most configurations have fewer.
	single = 10
	// listed is for how long a list answers. What it says is as old as that, at
	// most, when Terraform shows it.
	listed = 3 * time.Second
	// tooMany is the number of tokens from which on a scope is not listed: most
	// of them would be somebody else's.
	tooMany  = 5000
	pageSize = 100
)

// A Scope is what tokens open: a function, or a namespace. One of the UUIDs is
// set, none where it is not known.
type Scope struct {
	Region                  scw.Region
	FunctionID, NamespaceID string
}

// RefreshedToken returns the token as it is, or was a moment ago: where many
// tokens of one scope are asked for, as by a refresh, a few lists answer in
// place of as many calls. A token that stands in no list, or in a transient
// state, is asked for by itself.
func (c *Client) RefreshedToken(ctx context.Context, id regional.ID, of Scope) (*function.Token, error) {
	if t := c.lists.find(ctx, c.functions, of, id.UUID); t != nil {
		return c.SettledToken(ctx, id, t)
	}
	return c.SettledToken(ctx, id, nil)
}

// tokenLists are the lists of all scopes.
type tokenLists struct {
	mu     sync.Mutex
	scopes map[Scope]*tokenList
}

// A tokenList is what is known of the tokens of one scope.
type tokenList struct {
	mu       sync.Mutex
	asked    int
	hopeless bool
	at       time.Time
	tokens   map[string]*function.Token
}

func (l *tokenLists) of(s Scope) *tokenList {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.scopes == nil {
		l.scopes = map[Scope]*tokenList{}
	}
	if l.scopes[s] == nil {
		l.scopes[s] = &tokenList{}
	}
	return l.scopes[s]
}

// find returns a token that was listed a moment ago, and nil where there is no
// list or no such token in it. Those who ask while a list is being made wait for
// it.
func (l *tokenLists) find(ctx context.Context, api *function.API, s Scope, id string) *function.Token {
	list := l.of(s)
	list.mu.Lock()
	defer list.mu.Unlock()
	list.asked++
	if list.asked <= single || list.hopeless || s.FunctionID == "" && s.NamespaceID == "" {
		return nil
	}
	if time.Since(list.at) > listed {
		list.fetch(ctx, api, s)
	}
	return list.tokens[id]
}

// fetch lists all tokens of a scope. A scope that cannot be listed is not tried
// again: who may read a token need not be allowed to list them.
func (l *tokenList) fetch(ctx context.Context, api *function.API, s Scope) {
	request := &function.ListTokensRequest{Region: s.Region, PageSize: scw.Uint32Ptr(pageSize)}
	if s.FunctionID != "" {
		request.FunctionID = &s.FunctionID
	} else {
		request.NamespaceID = &s.NamespaceID
	}
	began, tokens := time.Now(), map[string]*function.Token{}
	for page := int32(1); ; page++ {
		request.Page = &page
		answer, err := api.ListTokens(request, Context(ctx))
		if err != nil || answer.TotalCount > tooMany || page > tooMany/pageSize {
			l.hopeless = ctx.Err() == nil
			return
		}
		for _, t := range answer.Tokens {
			tokens[t.ID] = t
		}
		if len(answer.Tokens) < pageSize {
			break
		}
	}
	l.at, l.tokens = began, tokens
}

// forget has a token that was deleted stand in no list.
func (l *tokenLists) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, list := range l.scopes {
		list.mu.Lock()
		delete(list.tokens, id)
		list.mu.Unlock()
	}
}
