package functions

import (
	"cmp"
	"context"
	"fmt"
	"strings"
)

const functionResource = "Function"

// CreateFunction creates a function without code.
func (s *Service) CreateFunction(ctx context.Context, scope Scope, c CreateFunction) (Function, error) {
	f, err := s.newFunction(scope, c)
	if err != nil {
		return Function{}, err
	}
	sealed, err := s.sealSecrets(ctx, c.Secrets)
	if err != nil {
		return Function{}, err
	}
	if f.Secrets, err = s.mergeSecrets(nil, sealed); err != nil {
		return Function{}, err
	}
	return change(ctx, s.config.Store, func(tx Tx) (Function, error) {
		n, err := namespace(tx, scope, c.NamespaceID)
		if err != nil {
			return f, err
		}
		if n.Status.Transient() {
			return f, transient("namespace", n.ID, n.Status)
		}
		f.ProjectID, f.OrganizationID = n.ProjectID, n.OrganizationID
		if err := nameIsFree(tx, f); err != nil {
			return f, err
		}
		if err := s.functionQuota(tx, f); err != nil {
			return f, err
		}
		f.DomainName = n.Slug + "-" + f.Name + "." + strings.ReplaceAll(s.config.Domain, "{region}", string(f.Region))
		return f, tx.Put(f)
	})
}

// newFunction returns a validated function with defaults for what is not given.
func (s *Service) newFunction(scope Scope, c CreateFunction) (Function, error) {
	if c.NamespaceID == "" {
		return Function{}, required("namespace_id")
	}
	if !ValidID(c.NamespaceID) {
		return Function{}, malformed("namespace_id", "must be a UUID")
	}
	if err := validFunctionName(c.Name); err != nil {
		return Function{}, err
	}
	if err := validSecrets(c.Secrets, s.config.Limits); err != nil {
		return Function{}, err
	}
	info, err := s.runtime(c.Runtime)
	if err != nil {
		return Function{}, err
	}
	if info.NoCreate != "" {
		return Function{}, outOfBounds("runtime", "%s", info.NoCreate)
	}
	now := s.config.Now()
	f := Function{
		ID: s.config.NewID(), Region: scope.Region, NamespaceID: c.NamespaceID,
		Name: c.Name, Description: c.Description, Tags: c.Tags, Variables: c.Variables, Status: Created,
		MinScale: given(c.MinScale, defaultMinScale), MaxScale: given(c.MaxScale, min(defaultMaxScale, s.config.Limits.MaxScale)),
		Runtime: info.Name, Handler: cmp.Or(c.Handler, info.DefaultHandler),
		MemoryLimit: given(c.MemoryLimit, defaultMemoryLimit), Timeout: given(c.Timeout, s.config.Limits.timeout()),
		Privacy: cmp.Or(c.Privacy, Public), HTTPOption: cmp.Or(c.HTTPOption, HTTPEnabled),
		Sandbox: cmp.Or(c.Sandbox, defaultSandbox), PrivateNetworkID: c.PrivateNetworkID,
		CreatedAt: now, UpdatedAt: now,
	}
	f.CPULimit = memoryTiers[f.MemoryLimit]
	return f, s.check(f)
}

// check validates a function by all rules.
func (s *Service) check(f Function) error {
	info, err := s.runtime(f.Runtime)
	if err != nil {
		return err
	}
	if err := s.config.Runtimes.CheckHandler(info.Language, f.Handler); err != nil {
		// The text before the colon is the real service's, of issue 254 of the
		// Pulumi provider.
		return refused("handler value is invalid: " + err.Error())
	}
	if err := validDescription(f.Description); err != nil {
		return err
	}
	return f.validate(s.config.Limits)
}

func (s *Service) runtime(name string) (RuntimeInfo, error) {
	if name == "" {
		return RuntimeInfo{}, required("runtime")
	}
	info, ok := s.config.Runtimes.Runtime(name)
	if !ok {
		return info, &Error{
			Code: InvalidArgument, Argument: "runtime", Reason: "unknown",
			Message: "there is no such runtime; GET /runtimes lists all runtimes",
		}
	}
	return info, nil
}

// changeable returns an error if functions with one of the runtimes cannot be
// changed.
func (s *Service) changeable(runtimes ...string) error {
	for _, name := range runtimes {
		if info, ok := s.config.Runtimes.Runtime(name); ok && info.NoUpdate != "" {
			return outOfBounds("runtime", "%s", info.NoUpdate)
		}
	}
	return nil
}

// nameIsFree returns an error if the namespace has a function with the name of f.
func nameIsFree(tx Tx, f Function) error {
	same, _, err := tx.Functions(Filter{NamespaceID: f.NamespaceID, Name: f.Name}, Page{})
	if err != nil || len(same) == 0 {
		return err
	}
	return &Error{
		Code: AlreadyExists, Message: "resource already exists", Resource: "function", ResourceID: same[0].ID,
	}
}

// Function returns one function.
func (s *Service) Function(ctx context.Context, scope Scope, id string) (Function, error) {
	return get(ctx, s.config.Store, func(tx Tx) (Function, error) { return function(tx, scope, id) })
}

// function returns a function that the scope covers.
func function(tx Tx, scope Scope, id string) (Function, error) {
	f, err := tx.Function(id)
	if err != nil {
		return f, err
	}
	if !scope.sees(f.Region, f.ProjectID) {
		return Function{}, NotFoundError(functionResource, id)
	}
	return f, nil
}

// Functions returns one page of the functions of a namespace, and the total number.
func (s *Service) Functions(ctx context.Context, scope Scope, filter Filter, page Page) ([]Function, int, error) {
	if filter.NamespaceID == "" {
		return nil, 0, required("namespace_id")
	}
	if !ValidID(filter.NamespaceID) {
		return nil, 0, malformed("namespace_id", "must be a UUID")
	}
	page, err := page.Checked("name")
	if err != nil {
		return nil, 0, err
	}
	return list(ctx, s.config.Store, scope, filter, func(tx Tx, f Filter) ([]Function, int, error) { return tx.Functions(f, page) })
}

// UpdateFunction changes a function and starts a deployment. The serving revision
// continues to serve until the new one is ready.
func (s *Service) UpdateFunction(ctx context.Context, scope Scope, id string, u UpdateFunction) (Function, error) {
	if err := validSecrets(u.Secrets, s.config.Limits); err != nil {
		return Function{}, err
	}
	if _, err := s.Function(ctx, scope, id); err != nil {
		return Function{}, err // before the slow hashing
	}
	changed, err := s.sealSecrets(ctx, u.Secrets)
	if err != nil {
		return Function{}, err
	}
	return change(ctx, s.config.Store, func(tx Tx) (Function, error) {
		f, err := function(tx, scope, id)
		if err != nil {
			return f, err
		}
		if f.Status == Deleting {
			return f, transient("function", f.ID, f.Status)
		}
		if f.Secrets, err = s.mergeSecrets(f.Secrets, changed); err != nil {
			return f, err
		}
		if f, err = s.updated(f, u); err != nil {
			return f, err
		}
		if u.Redeploy {
			f.StartBuild(s.config.Now())
		} else {
			f.StartDeployment(s.config.Now())
		}
		return f, tx.Put(f)
	})
}

// updated returns the function with the given fields changed, validated.
func (s *Service) updated(f Function, u UpdateFunction) (Function, error) {
	if err := s.changeable(f.Runtime, u.Runtime); err != nil {
		return f, err
	}
	if u.Runtime != "" {
		before, _ := s.config.Runtimes.Runtime(f.Runtime)
		after, err := s.runtime(u.Runtime)
		if err != nil {
			return f, err
		}
		if before.Language != after.Language {
			return f, outOfBounds("runtime", "cannot be changed from %s to %s: a function keeps its language, create a new one", f.Runtime, u.Runtime)
		}
		f.Runtime = after.Name
	}
	set(&f.Description, u.Description)
	set(&f.Tags, u.Tags)
	set(&f.Variables, u.Variables)
	set(&f.MinScale, u.MinScale)
	set(&f.MaxScale, u.MaxScale)
	set(&f.Handler, u.Handler)
	set(&f.MemoryLimit, u.MemoryLimit)
	set(&f.Timeout, u.Timeout)
	set(&f.PrivateNetworkID, u.PrivateNetworkID)
	f.Privacy = cmp.Or(u.Privacy, f.Privacy)
	f.HTTPOption = cmp.Or(u.HTTPOption, f.HTTPOption)
	f.Sandbox = cmp.Or(u.Sandbox, f.Sandbox)
	f.CPULimit = memoryTiers[f.MemoryLimit]
	return f, s.check(f)
}

// FunctionByID returns a function of any scope. It is for requests that are
// authorized by a signed URL.
func (s *Service) FunctionByID(ctx context.Context, id string) (Function, error) {
	return get(ctx, s.config.Store, func(tx Tx) (Function, error) { return tx.Function(id) })
}

// FunctionIDs returns the IDs of all functions of a project, oldest first.
func (s *Service) FunctionIDs(ctx context.Context, projectID string) ([]string, error) {
	return get(ctx, s.config.Store, func(tx Tx) ([]string, error) {
		all, _, err := tx.Functions(Filter{ProjectID: projectID}, Page{})
		ids := make([]string, len(all))
		for i, f := range all {
			ids[i] = f.ID
		}
		return ids, err
	})
}

// CheckStorage returns an Error with the code QuotaExceeded if a project with used
// bytes of code archives cannot store more bytes.
func (s *Service) CheckStorage(used, more int64) error {
	if used+more <= s.config.Limits.Storage {
		return nil
	}
	return &Error{
		Code: QuotaExceeded, Resource: "storage", Quota: int(s.config.Limits.Storage), Current: int(used),
		Message: fmt.Sprintf("quota exceeded: the code archives of a project can have at most %d bytes: delete functions that are not needed, or upload a smaller archive", s.config.Limits.Storage),
	}
}

// DeleteFunction starts the deletion of a function. When it returns, its tokens are
// revoked and it answers no more calls.
func (s *Service) DeleteFunction(ctx context.Context, scope Scope, id string) (Function, error) {
	return change(ctx, s.config.Store, func(tx Tx) (Function, error) {
		f, err := function(tx, scope, id)
		if err != nil {
			return f, err
		}
		return s.deleteFunction(tx, f)
	})
}

func (s *Service) deleteFunction(tx Tx, f Function) (Function, error) {
	if err := forgetFunction(tx, f); err != nil {
		return f, err
	}
	if err := deleteAttached(tx, f.ID); err != nil {
		return f, err
	}
	f.MarkDeleting(s.config.Now())
	return f, tx.Put(f)
}
