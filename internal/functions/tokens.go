package functions

import "context"

const tokenResource = "Token"

// CreateToken makes a token for one function, or for all functions of one
// namespace. The text is in the answer and nowhere else.
func (s *Service) CreateToken(ctx context.Context, scope Scope, c CreateToken) (IssuedToken, error) {
	if err := c.validate(); err != nil {
		return IssuedToken{}, err
	}
	issuer, err := get(ctx, s.Store, func(tx Tx) (Namespace, error) { return tokenIssuer(tx, scope, c) })
	if err != nil {
		return IssuedToken{}, err
	}
	t := Token{
		ID: s.NewID(), Region: scope.Region, ProjectID: issuer.ProjectID,
		NamespaceID: c.NamespaceID, FunctionID: c.FunctionID, Description: c.Description,
		Status: Creating, CreatedAt: s.Now(), ExpiresAt: c.ExpiresAt,
	}
	// Signing takes milliseconds, so it is done before the transaction; the
	// transaction looks again whether the token may still be had.
	text, err := s.Minter.Mint(issuer, t)
	if err != nil {
		return IssuedToken{}, err
	}
	t.Digest = DigestOf(text.Reveal())
	issued := IssuedToken{Token: t, Text: text, PublicKey: issuer.PublicKey}
	return issued, s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tokenIssuer(tx, scope, c); err != nil {
			return err
		}
		if err := s.tokenQuotas(tx, t); err != nil {
			return err
		}
		return tx.Put(t)
	})
}

// tokenIssuer finds the namespace whose key signs a token, and checks that
// what the token would open is there.
func tokenIssuer(tx Tx, scope Scope, c CreateToken) (Namespace, error) {
	namespaceID := c.NamespaceID
	if c.FunctionID != "" {
		f, err := function(tx, scope, c.FunctionID)
		if err != nil {
			return Namespace{}, err
		}
		if f.Status == Deleting {
			return Namespace{}, transient("function", f.ID, f.Status)
		}
		namespaceID = f.NamespaceID
	}
	n, err := namespace(tx, scope, namespaceID)
	if err != nil {
		return n, err
	}
	if n.Status == Deleting || n.PrivateKey == nil {
		return n, transient("namespace", n.ID, n.Status)
	}
	return n, nil
}

// Token returns one token.
func (s *Service) Token(ctx context.Context, scope Scope, id string) (Token, error) {
	return get(ctx, s.Store, func(tx Tx) (Token, error) { return findToken(tx, scope, id) })
}

// findToken finds a token that the scope sees.
func findToken(tx Tx, scope Scope, id string) (Token, error) {
	t, err := tx.Token(id)
	if err != nil {
		return t, err
	}
	if !scope.sees(t.Region, t.ProjectID) {
		return Token{}, NotFoundError(tokenResource, id)
	}
	return t, nil
}

// Tokens lists the tokens that were made for a function or for a namespace,
// and says how many there are.
func (s *Service) Tokens(ctx context.Context, scope Scope, filter Filter, page Page) ([]Token, int, error) {
	wanted := CreateToken{NamespaceID: filter.NamespaceID, FunctionID: filter.FunctionID}
	if err := wanted.validate(); err != nil {
		return nil, 0, err
	}
	page, err := page.Checked()
	if err != nil {
		return nil, 0, err
	}
	return list(ctx, s.Store, scope, filter, func(tx Tx, f Filter) ([]Token, int, error) { return tx.Tokens(f, page) })
}

// DeleteToken revokes a token. When it has returned, no gateway admits a call
// with that token any more.
func (s *Service) DeleteToken(ctx context.Context, scope Scope, id string) (Token, error) {
	return change(ctx, s.Store, func(tx Tx) (Token, error) {
		t, err := findToken(tx, scope, id)
		if err != nil {
			return t, err
		}
		t.Status = Deleting
		return t, tx.Delete(t)
	})
}
