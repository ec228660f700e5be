package client

import (
	"context"
	"sync"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

const (
	// maxSingleReads is the number of tokens of a scope that are read one by one
	// before the scope is listed. Most configurations have fewer.
	maxSingleReads = 10
	// listMaxAge is how long a list is used.
	listMaxAge = 3 * time.Second
	// maxListedTokens is the size above which a scope is not listed: most of its
	// tokens would not belong to this configuration.
	maxListedTokens = 5000
	pageSize        = 100
)

// A Scope is the function or the namespace that a token gives access to. One of
// the UUIDs is set, or none if the scope is unknown.
type Scope struct {
	Region                  scw.Region
	FunctionID, NamespaceID string
}

// tokenLists holds the token lists of all scopes. It may be used by several
// goroutines at once.
type tokenLists struct {
	mu     sync.Mutex
	scopes map[Scope]*tokenList
}

// A tokenList caches the tokens of one scope.
type tokenList struct {
	mu sync.Mutex
	// reads counts the calls of find.
	reads int
	// unlistable is set once listing has failed or the scope is too large.
	unlistable bool
	fetched    time.Time
	tokens     map[string]*function.Token
}

func (l *tokenLists) scope(s Scope) *tokenList {
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

// find returns the token from a list that is at most listMaxAge old, or nil if
// there is no such list or the token is not in it. Concurrent calls wait for one
// list request.
func (l *tokenLists) find(ctx context.Context, api *function.API, s Scope, id string) *function.Token {
	list := l.scope(s)
	list.mu.Lock()
	defer list.mu.Unlock()
	list.reads++
	if list.reads <= maxSingleReads || list.unlistable || s.FunctionID == "" && s.NamespaceID == "" {
		return nil
	}
	if time.Since(list.fetched) > listMaxAge {
		list.fetch(ctx, api, s)
	}
	return list.tokens[id]
}

// fetch lists all tokens of a scope. After a failure it marks the scope as
// unlistable, because a key that may read a token may lack the permission to
// list tokens.
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
		if err != nil || answer.TotalCount > maxListedTokens || page > maxListedTokens/pageSize {
			l.unlistable = ctx.Err() == nil
			return
		}
		for _, t := range answer.Tokens {
			tokens[t.ID] = t
		}
		if len(answer.Tokens) < pageSize {
			break
		}
	}
	l.fetched, l.tokens = began, tokens
}

// forget removes a deleted token from all lists.
func (l *tokenLists) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, list := range l.scopes {
		list.mu.Lock()
		delete(list.tokens, id)
		list.mu.Unlock()
	}
}
