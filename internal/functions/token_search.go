package functions

import "context"

// SearchTokens returns one page of the tokens of all namespaces and functions in a scope,
// whether there are more, and the number of all, which is -1 if the filter has a search or
// a time of expiry: counting would read every token.
func (s *Service) SearchTokens(ctx context.Context, scope Scope, filter Filter, page Page) (found []Token, total int, more bool, err error) {
	if page, err = page.Checked(); err != nil {
		return nil, 0, false, err
	}
	found, total, err = list(ctx, s.config.Store, scope, filter, func(tx Tx, f Filter) ([]Token, int, error) { return tx.Tokens(f, page) })
	if err != nil {
		return nil, 0, false, err
	}
	if total >= 0 {
		return found, total, page.Offset()+len(found) < total, nil
	}
	if more = len(found) > page.Size; more {
		found = found[:page.Size]
	}
	return found, total, more, nil
}
