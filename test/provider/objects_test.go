package provider_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/terraform"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/await"
)

type terraformState = terraform.State

// These functions read and change the server without Terraform.

func (w *world) namespaceIDs(t *testing.T) []string {
	t.Helper()
	list, err := w.api.ListNamespaces(&function.ListNamespacesRequest{}, scw.WithAllPages())
	if err != nil {
		t.Fatalf("list the namespaces: %v", err)
	}
	var ids []string
	for _, n := range list.Namespaces {
		ids = append(ids, n.ID)
	}
	return ids
}

// readyNamespace creates a namespace and waits until it is ready.
func (w *world) readyNamespace(request *function.CreateNamespaceRequest) *function.Namespace {
	made := must(w.api.CreateNamespace(request))
	return must(w.api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: made.ID, RetryInterval: new(50 * time.Millisecond)}))
}

func (w *world) deleteNamespace(t *testing.T, id string) {
	t.Helper()
	if _, err := w.api.DeleteNamespace(&function.DeleteNamespaceRequest{NamespaceID: id}); err != nil {
		t.Fatalf("delete namespace %s: %v", id, err)
	}
	await.True(t, "namespace "+id+" is gone", func() bool {
		_, err := w.api.GetNamespace(&function.GetNamespaceRequest{NamespaceID: id})
		return err != nil
	})
}
