package functions

import (
	"cmp"
	"context"
)

const namespaceResource = "Namespace"

// CreateNamespace makes a namespace, which is pending until it has its key.
func (s *Service) CreateNamespace(ctx context.Context, scope Scope, c CreateNamespace) (Namespace, error) {
	if err := c.validate(s.Limits); err != nil {
		return Namespace{}, err
	}
	if err := validDescription(c.Description); err != nil {
		return Namespace{}, err
	}
	projectID := cmp.Or(c.ProjectID, scope.ProjectID)
	if !scope.Covers(projectID) {
		return Namespace{}, &Error{Code: PermissionDenied, Message: "insufficient permissions", Resource: "functions_namespace"}
	}
	sealed, err := s.sealSecrets(ctx, c.Secrets)
	if err != nil {
		return Namespace{}, err
	}
	secrets, err := s.mergeSecrets(nil, sealed)
	if err != nil {
		return Namespace{}, err
	}
	now := s.Now()
	n := Namespace{
		ID: s.NewID(), Region: scope.Region, ProjectID: projectID, OrganizationID: scope.OrganizationID,
		Name: c.Name, Slug: slug(c.Name, s.NewSuffix()), Description: c.Description, Tags: c.Tags,
		Variables: c.Variables, Secrets: secrets,
		Status: Pending, CreatedAt: now, UpdatedAt: now,
	}
	return n, s.Store.Update(ctx, func(tx Tx) error {
		siblings := Filter{Region: n.Region, ProjectID: n.ProjectID}
		same := siblings
		same.Name = n.Name
		if _, taken, err := tx.Namespaces(same, Page{}); err != nil {
			return err
		} else if taken > 0 {
			return &Error{Code: AlreadyExists, Message: "Namespace already exist"}
		}
		if err := s.roomFor(tx, siblings); err != nil {
			return err
		}
		return tx.Put(n)
	})
}

func (s *Service) roomFor(tx Tx, siblings Filter) error {
	_, count, err := tx.Namespaces(siblings, Page{Number: 1, Size: 1})
	if err != nil {
		return err
	}
	if count >= s.Limits.Namespaces {
		return quotaExceeded("namespace", s.Limits.Namespaces, count)
	}
	return nil
}

// Namespace returns one namespace.
func (s *Service) Namespace(ctx context.Context, scope Scope, id string) (Namespace, error) {
	return get(ctx, s.Store, func(tx Tx) (Namespace, error) { return namespace(tx, scope, id) })
}

// namespace finds a namespace that the scope sees.
func namespace(tx Tx, scope Scope, id string) (Namespace, error) {
	n, err := tx.Namespace(id)
	if err != nil {
		return n, err
	}
	if !scope.sees(n.Region, n.ProjectID) {
		return Namespace{}, NotFoundError(namespaceResource, id)
	}
	return n, nil
}

// Namespaces lists namespaces, and says how many match the filter.
func (s *Service) Namespaces(ctx context.Context, scope Scope, filter Filter, page Page) ([]Namespace, int, error) {
	page, err := page.Checked("name")
	if err != nil {
		return nil, 0, err
	}
	return list(ctx, s.Store, scope, filter, func(tx Tx, f Filter) ([]Namespace, int, error) { return tx.Namespaces(f, page) })
}

// UpdateNamespace changes a namespace. A change of its variables makes it
// pending until its functions have them.
func (s *Service) UpdateNamespace(ctx context.Context, scope Scope, id string, u UpdateNamespace) (Namespace, error) {
	if err := u.validate(s.Limits); err != nil {
		return Namespace{}, err
	}
	if _, err := s.Namespace(ctx, scope, id); err != nil {
		return Namespace{}, err // before the work of hashing
	}
	changed, err := s.sealSecrets(ctx, u.Secrets)
	if err != nil {
		return Namespace{}, err
	}
	return change(ctx, s.Store, func(tx Tx) (Namespace, error) {
		n, err := namespace(tx, scope, id)
		if err != nil {
			return n, err
		}
		if n.Status.Transient() {
			return n, transient("namespace", n.ID, n.Status)
		}
		if n.Secrets, err = s.mergeSecrets(n.Secrets, changed); err != nil {
			return n, err
		}
		set(&n.Description, u.Description)
		set(&n.Tags, u.Tags)
		set(&n.Variables, u.Variables)
		if u.changesVariables() {
			n.Status = Pending
		}
		n.UpdatedAt = s.Now()
		if err := validDescription(n.Description); err != nil {
			return n, err
		}
		return n, tx.Put(n)
	})
}

// DeleteNamespace deletes a namespace with all that is in it. Its tokens are
// gone, and its functions answer no more calls, when it returns; the rest of
// the work may go on.
func (s *Service) DeleteNamespace(ctx context.Context, scope Scope, id string) (Namespace, error) {
	return change(ctx, s.Store, func(tx Tx) (Namespace, error) {
		n, err := namespace(tx, scope, id)
		if err != nil {
			return n, err
		}
		within, _, err := tx.Functions(Filter{NamespaceID: id}, Page{})
		if err != nil {
			return n, err
		}
		for _, f := range within {
			if _, err := s.deleteFunction(tx, f); err != nil {
				return n, err
			}
		}
		if err := deleteAll(tx, Filter{NamespaceID: id}, tx.Tokens); err != nil {
			return n, err
		}
		n.Status, n.UpdatedAt = Deleting, s.Now()
		return n, tx.Put(n)
	})
}

// set assigns what is given.
func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// list returns the objects in the scope that match the filter. A filter for a
// project or an organization outside of the scope matches nothing.
func list[T any](ctx context.Context, store Store, scope Scope, filter Filter, read func(Tx, Filter) ([]T, int, error)) ([]T, int, error) {
	foreign := filter.ProjectID != "" && !scope.Covers(filter.ProjectID) ||
		filter.OrganizationID != "" && filter.OrganizationID != scope.OrganizationID
	if foreign {
		return nil, 0, nil
	}
	filter.Region, filter.OrganizationID = scope.Region, ""
	switch {
	case filter.ProjectID != "":
	case scope.Projects == nil:
		filter.ProjectID = scope.ProjectID
	default:
		filter.Projects = scope.Projects
	}
	var found []T
	var total int
	err := store.View(ctx, func(tx Tx) (err error) {
		found, total, err = read(tx, filter)
		return err
	})
	return found, total, err
}
