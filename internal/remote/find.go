package remote

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/google/uuid"
)

// A Found is a function and its namespace.
type Found struct {
	Function  *function.Function
	Namespace *function.Namespace
}

// Name returns the name of the function with that of its namespace: namespace/name.
func (f Found) Name() string { return f.Namespace.Name + "/" + f.Function.Name }

// A NotFoundError means that no object has a name or ID.
type NotFoundError struct{ Kind, Reference string }

// Error implements error.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("find %s %q: not found in the projects of the API key: check the name or ID, or the server and its API key", e.Kind, e.Reference)
}

// An AmbiguousError means that several objects have a name.
type AmbiguousError struct {
	Kind, Reference string
	Places          []string
}

// Error implements error.
func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("find %s %q: several have that name: pass one of %s", e.Kind, e.Reference, strings.Join(e.Places, ", "))
}

// A reference is a parsed name or ID. Parts that are not given are empty.
type reference struct {
	region                    scw.Region
	namespace, name, id, text string
}

// parseReference parses ID, REGION/ID, NAME, NAMESPACE/NAME and REGION/NAMESPACE/NAME.
func parseReference(text string) reference {
	r := reference{text: text}
	parts := strings.Split(text, "/")
	if len(parts) > 1 && slices.Contains(regions, scw.Region(parts[0])) {
		r.region, parts = scw.Region(parts[0]), parts[1:]
	}
	switch len(parts) {
	case 1:
		if uuid.Validate(parts[0]) == nil {
			r.id = parts[0]
			return r
		}
		r.name = parts[0]
	case 2:
		r.namespace, r.name = parts[0], parts[1]
	default:
		r.name = text
	}
	return r
}

var regions = new(function.API).Regions()

// within returns the regions in which the object can be.
func (s *Server) within(r reference) []scw.Region {
	if r.region != "" {
		return []scw.Region{r.region}
	}
	all := []scw.Region{s.region}
	for _, region := range regions {
		if region != s.region {
			all = append(all, region)
		}
	}
	return all
}

// Function returns the function with a name or ID: NAME, NAMESPACE/NAME, ID, each optionally
// after REGION/. It returns *NotFoundError or *AmbiguousError.
func (s *Server) Function(ctx context.Context, text string) (Found, error) {
	r := parseReference(text)
	if r.id != "" {
		return s.functionByID(ctx, r)
	}
	var all []Found
	for _, region := range s.within(r) {
		found, err := s.namedFunctions(ctx, region, r)
		if err != nil {
			return Found{}, err
		}
		all = append(all, found...)
	}
	switch len(all) {
	case 1:
		return all[0], nil
	case 0:
		return Found{}, &NotFoundError{"function", text}
	}
	places := make([]string, len(all))
	for i, f := range all {
		places[i] = fmt.Sprintf("%s (%s/%s in %s)", f.Function.ID, f.Namespace.Name, f.Function.Name, f.Function.Region)
	}
	return Found{}, &AmbiguousError{"function", text, places}
}

func (s *Server) functionByID(ctx context.Context, r reference) (Found, error) {
	for _, region := range s.within(r) {
		f, err := s.Functions.GetFunction(&function.GetFunctionRequest{Region: region, FunctionID: r.id}, scw.WithContext(ctx))
		if StatusOf(err) == http.StatusNotFound {
			continue
		}
		if err != nil {
			return Found{}, fmt.Errorf("get function %s: %w", r.text, err)
		}
		n, err := s.Functions.GetNamespace(&function.GetNamespaceRequest{Region: region, NamespaceID: f.NamespaceID}, scw.WithContext(ctx))
		if err != nil {
			return Found{}, fmt.Errorf("get namespace of function %s: %w", r.text, err)
		}
		return Found{f, n}, nil
	}
	return Found{}, &NotFoundError{"function", r.text}
}

// namedFunctions returns the functions of a region that a reference names.
func (s *Server) namedFunctions(ctx context.Context, region scw.Region, r reference) ([]Found, error) {
	namespaces, err := s.namespaces(ctx, region)
	if err != nil {
		return nil, err
	}
	var found []Found
	for _, n := range namespaces {
		if r.namespace != "" && r.namespace != n.Name && r.namespace != n.ID {
			continue
		}
		named, err := s.Functions.ListFunctions(&function.ListFunctionsRequest{Region: region, NamespaceID: n.ID, Name: &r.name}, scw.WithContext(ctx), scw.WithAllPages())
		if err != nil {
			return nil, fmt.Errorf("list functions of namespace %s: %w", n.Name, err)
		}
		for _, f := range named.Functions {
			found = append(found, Found{f, n})
		}
	}
	return found, nil
}

func (s *Server) namespaces(ctx context.Context, region scw.Region) ([]*function.Namespace, error) {
	list, err := s.Functions.ListNamespaces(&function.ListNamespacesRequest{Region: region}, scw.WithContext(ctx), scw.WithAllPages())
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	return list.Namespaces, nil
}

// Namespaces returns the namespaces of all regions.
func (s *Server) Namespaces(ctx context.Context) ([]*function.Namespace, error) {
	var all []*function.Namespace
	for _, region := range s.within(reference{}) {
		namespaces, err := s.namespaces(ctx, region)
		if err != nil {
			return nil, err
		}
		all = append(all, namespaces...)
	}
	return all, nil
}

// Namespace returns the namespace with a name or ID, optionally after REGION/. It returns
// *NotFoundError or *AmbiguousError.
func (s *Server) Namespace(ctx context.Context, text string) (*function.Namespace, error) {
	r := parseReference(text)
	var found []*function.Namespace
	for _, region := range s.within(r) {
		namespaces, err := s.namespaces(ctx, region)
		if err != nil {
			return nil, err
		}
		for _, n := range namespaces {
			if r.namespace == "" && (n.ID == r.id || n.Name == r.name) {
				found = append(found, n)
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, &NotFoundError{"namespace", text}
	}
	places := make([]string, len(found))
	for i, n := range found {
		places[i] = fmt.Sprintf("%s (project %s in %s)", n.ID, n.ProjectID, n.Region)
	}
	return nil, &AmbiguousError{"namespace", text, places}
}

// AllFunctions returns the functions of a namespace, or of all namespaces if it is nil.
func (s *Server) AllFunctions(ctx context.Context, namespace *function.Namespace) ([]Found, error) {
	namespaces := []*function.Namespace{namespace}
	if namespace == nil {
		all, err := s.Namespaces(ctx)
		if err != nil {
			return nil, err
		}
		namespaces = all
	}
	var found []Found
	for _, n := range namespaces {
		list, err := s.Functions.ListFunctions(&function.ListFunctionsRequest{Region: n.Region, NamespaceID: n.ID}, scw.WithContext(ctx), scw.WithAllPages())
		if err != nil {
			return nil, fmt.Errorf("list functions of namespace %s: %w", n.Name, err)
		}
		for _, f := range list.Functions {
			found = append(found, Found{f, n})
		}
	}
	return found, nil
}
