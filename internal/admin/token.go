package admin

import (
	"context"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/usage"
)

// A UsedToken is a token with its last use, the zero time without a use.
type UsedToken struct {
	functions.Token

	LastUsedAt time.Time
}

// tokensPageSize is the number of tokens of one page.
const tokensPageSize = 1000

// Tokens returns one page of the tokens of a namespace or of a function of any project,
// oldest first.
func (s *Service) Tokens(ctx context.Context, namespaceID, functionID string, page int) ([]UsedToken, error) {
	if (namespaceID == "") == (functionID == "") {
		return nil, invalid("namespace", "required", "or a function is required, but not both")
	}
	var found []functions.Token
	err := s.config.Store.View(ctx, func(tx store.Tx) (err error) {
		if err := exists(tx, namespaceID, functionID); err != nil {
			return err
		}
		found, _, err = tx.Tokens(
			functions.Filter{NamespaceID: namespaceID, FunctionID: functionID},
			functions.Page{Number: max(page, 1), Size: tokensPageSize},
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

// exists returns an error if the namespace, or else the function, does not exist.
func exists(tx store.Tx, namespaceID, functionID string) (err error) {
	if namespaceID != "" {
		_, err = tx.Namespace(namespaceID)
	} else {
		_, err = tx.Function(functionID)
	}
	return err
}
