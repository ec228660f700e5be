package admin

import (
	"context"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/usage"
)

// A UsedToken is a token with its last use; the zero time if there was none.
type UsedToken struct {
	functions.Token

	LastUsedAt time.Time
}

// pageOfTokens is how many tokens are read at once.
const pageOfTokens = 1000

// Tokens returns one page of the tokens that were made for a namespace or for a
// function, of any project, oldest first.
func (s *Service) Tokens(ctx context.Context, namespaceID, functionID string, page int) ([]UsedToken, error) {
	if (namespaceID == "") == (functionID == "") {
		return nil, invalid("namespace", "required", "or a function is required, and not both")
	}
	var found []functions.Token
	err := s.Store.View(ctx, func(tx store.Tx) (err error) {
		if err := there(tx, namespaceID, functionID); err != nil {
			return err
		}
		found, _, err = tx.Tokens(
			functions.Filter{NamespaceID: namespaceID, FunctionID: functionID},
			functions.Page{Number: max(page, 1), Size: pageOfTokens},
		)
		return err
	})
	if err != nil {
		return nil, err
	}
	uses, err := s.lastUses(ctx, usage.Tokens, ids(found))
	used := make([]UsedToken, len(found))
	for i, token := range found {
		used[i] = UsedToken{token, uses[token.ID]}
	}
	return used, err
}

// there tells whether there is the namespace, or the function, that is named.
func there(tx store.Tx, namespaceID, functionID string) (err error) {
	if namespaceID != "" {
		_, err = tx.Namespace(namespaceID)
	} else {
		_, err = tx.Function(functionID)
	}
	return err
}
