package functions_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

func pointer[T any](value T) *T { return &value }

func TestCreateFunction_FillsInDefaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.readyNamespace("defaults")
	f := w.newFunction(n, "first")
	want := functions.Function{
		ID: f.ID, Region: "fr-par", ProjectID: project.ID, OrganizationID: project.OrganizationID, NamespaceID: n.ID,
		Name: "first", Secrets: []functions.SecretVariable{}, Status: functions.Created, MinScale: 0, MaxScale: 5, Runtime: "go126", Handler: "Handle",
		MemoryLimit: 256, CPULimit: 140, Timeout: 300 * time.Second, Privacy: functions.Public, HTTPOption: functions.HTTPEnabled,
		Sandbox: "v2", DomainName: "defaultsabcd1234-first.functions.fr-par.test", CreatedAt: start, UpdatedAt: start,
	}
	if got := describe(f); got != describe(want) {
		t.Errorf("got  %s\nwant %s", got, describe(want))
	}
}

func TestCreateFunction_RefusesInvalidFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.readyNamespace("rules")
	valid := func() functions.CreateFunction {
		return functions.CreateFunction{NamespaceID: n.ID, Name: "f", Runtime: "go126"}
	}
	tests := map[string]struct {
		change func(*functions.CreateFunction)
		says   string
	}{
		"no namespace":        {func(c *functions.CreateFunction) { c.NamespaceID = "" }, "namespace_id: is required"},
		"namespace is not id": {func(c *functions.CreateFunction) { c.NamespaceID = "fr-par/" + n.ID }, "namespace_id: must be a UUID"},
		"upper case name":     {func(c *functions.CreateFunction) { c.Name = "F" }, "lower case alphanumeric"},
		"no name":             {func(c *functions.CreateFunction) { c.Name = "" }, "lower case alphanumeric"},
		"long name":           {func(c *functions.CreateFunction) { c.Name = strings.Repeat("a", 35) }, "at most 34"},
		"no runtime":          {func(c *functions.CreateFunction) { c.Runtime = "" }, "runtime: is required"},
		"unknown runtime":     {func(c *functions.CreateFunction) { c.Runtime = "cobol60" }, "no such runtime"},
		"handler with a path": {func(c *functions.CreateFunction) { c.Handler = "../../etc/Passwd" }, "handler value is invalid"},
		"memory between tiers": {
			func(c *functions.CreateFunction) { c.MemoryLimit = pointer(300) },
			"one of 128, 256, 512, 1024, 2048, 3072, 4096, is 300",
		},
		"max scale 0":         {func(c *functions.CreateFunction) { c.MaxScale = pointer(0) }, "max_scale: must be from 1 to 50"},
		"max scale 51":        {func(c *functions.CreateFunction) { c.MaxScale = pointer(51) }, "max_scale"},
		"min above max":       {func(c *functions.CreateFunction) { c.MinScale = pointer(6) }, "min_scale"},
		"negative min":        {func(c *functions.CreateFunction) { c.MinScale = pointer(-1) }, "min_scale"},
		"timeout 1s":          {func(c *functions.CreateFunction) { c.Timeout = pointer(time.Second) }, "timeout: must be from 10s to 1h"},
		"timeout 2h":          {func(c *functions.CreateFunction) { c.Timeout = pointer(2 * time.Hour) }, "timeout"},
		"privacy":             {func(c *functions.CreateFunction) { c.Privacy = "secret" }, "privacy: must be one of public, private"},
		"http option":         {func(c *functions.CreateFunction) { c.HTTPOption = "x" }, "http_option"},
		"sandbox":             {func(c *functions.CreateFunction) { c.Sandbox = "v3" }, "sandbox"},
		"private network":     {func(c *functions.CreateFunction) { c.PrivateNetworkID = "x" }, "private_network_id"},
		"a reserved variable": {func(c *functions.CreateFunction) { c.Variables = map[string]string{"SCW_PUBLIC": ""} }, "reserved"},
	}
	for name, test := range tests {
		c := valid()
		test.change(&c)
		_, err := w.CreateFunction(t.Context(), paris, c)
		if functions.CodeOf(err) != functions.InvalidArgument || err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want an error with %q", name, err, test.says)
		}
	}
	if _, err := w.CreateFunction(t.Context(), paris, valid()); err != nil {
		t.Fatal(err)
	}
	_, err := w.CreateFunction(t.Context(), paris, valid())
	wantCode(t, err, functions.AlreadyExists)
}

func TestCreateFunction_RequiresReadyNamespace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, err := w.CreateNamespace(t.Context(), paris, functions.CreateNamespace{Name: "pending"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.CreateFunction(t.Context(), paris, functions.CreateFunction{NamespaceID: n.ID, Name: "f", Runtime: "go126"})
	wantCode(t, err, functions.TransientState)
}

func TestCreateFunction_HasQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.configure(func(c *functions.Config) { c.Limits.Functions = 1 })
	n := w.readyNamespace("quota")
	w.newFunction(n, "one")
	_, err := w.CreateFunction(t.Context(), paris, functions.CreateFunction{NamespaceID: n.ID, Name: "two", Runtime: "go126"})
	wantCode(t, err, functions.QuotaExceeded)
	// The name is checked before the quota.
	_, err = w.CreateFunction(t.Context(), paris, functions.CreateFunction{NamespaceID: n.ID, Name: "one", Runtime: "go126"})
	wantCode(t, err, functions.AlreadyExists)
	// Functions of another organization do not count.
	err = w.store.Update(t.Context(), func(tx functions.Tx) error {
		n.OrganizationID = "99999999-9999-4999-8999-999999999999"
		return tx.Put(n)
	})
	if err != nil {
		t.Fatal(err)
	}
	w.newFunction(n, "three")
}

func TestUpdateFunction_StartsDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.newFunction(w.readyNamespace("update"), "f")
	if err := w.CodeUploaded(t.Context(), f.ID, "first", ""); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Function(t.Context(), paris, f.ID); err != nil || got.Status != functions.Created || !got.UpdatedAt.Equal(f.UpdatedAt) {
		t.Errorf("after an upload: got %+v, %v, want no change", got, err)
	}
	f, err := w.DeployFunction(t.Context(), paris, f.ID)
	if err != nil || f.Status != functions.Pending || f.Target != "first" || f.Generation != 1 {
		t.Fatalf("DeployFunction() = %+v, %v", f, err)
	}
	f.Status, f.Revision = functions.Ready, &functions.Revision{ID: "r", Archive: "first"}
	w.put(f)
	if err := w.CodeUploaded(t.Context(), f.ID, "second", ""); err != nil {
		t.Fatal(err)
	}

	f, err = w.UpdateFunction(t.Context(), paris, f.ID, functions.UpdateFunction{Description: pointer("x"), Runtime: "go125", MemoryLimit: pointer(512)})
	if err != nil || f.Status != functions.Pending || f.Generation != 2 || f.Runtime != "go125" || f.CPULimit != 280 {
		t.Errorf("UpdateFunction() = %+v, %v", f, err)
	}
	if f.Target != "first" {
		t.Errorf("a change deploys %q, want the serving code", f.Target)
	}
	f, err = w.UpdateFunction(t.Context(), paris, f.ID, functions.UpdateFunction{Redeploy: true})
	if err != nil || f.Target != "second" {
		t.Errorf("redeploy deploys %q, %v, want the uploaded code", f.Target, err)
	}
	_, err = w.UpdateFunction(t.Context(), paris, f.ID, functions.UpdateFunction{Runtime: "node24"})
	wantCode(t, err, functions.InvalidArgument)
	_, err = w.UpdateFunction(t.Context(), paris, f.ID, functions.UpdateFunction{MaxScale: pointer(0)})
	wantCode(t, err, functions.InvalidArgument)
}
