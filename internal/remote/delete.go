package remote

import (
	"context"
	"fmt"
	"net/http"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// DeleteFunction deletes a function and waits until it is gone.
func (s *Server) DeleteFunction(ctx context.Context, f Found) error {
	region, id := f.Function.Region, f.Function.ID
	_, err := s.Functions.DeleteFunction(&function.DeleteFunctionRequest{Region: region, FunctionID: id}, scw.WithContext(ctx))
	if err == nil {
		err = untilGone(ctx, func() error {
			_, err := s.Functions.GetFunction(&function.GetFunctionRequest{Region: region, FunctionID: id}, scw.WithContext(ctx))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("delete function %s: %w", f.Name(), err)
	}
	return nil
}

// DeleteNamespace deletes a namespace with its functions and waits until it is gone.
func (s *Server) DeleteNamespace(ctx context.Context, n *function.Namespace) error {
	_, err := s.Functions.DeleteNamespace(&function.DeleteNamespaceRequest{Region: n.Region, NamespaceID: n.ID}, scw.WithContext(ctx))
	if err == nil {
		err = untilGone(ctx, func() error {
			_, err := s.Functions.GetNamespace(&function.GetNamespaceRequest{Region: n.Region, NamespaceID: n.ID}, scw.WithContext(ctx))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("delete namespace %s: %w", n.Name, err)
	}
	return nil
}

// untilGone calls get until it returns that the object does not exist.
func untilGone(ctx context.Context, get func() error) error {
	for {
		switch err := get(); {
		case StatusOf(err) == http.StatusNotFound:
			return nil
		case err != nil && StatusOf(err) != http.StatusServiceUnavailable:
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}
