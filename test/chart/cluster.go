package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/release"
)

// timeout is how long the Pods of a release may take to be ready, or to end.
const timeout = 3 * time.Minute

// configuration connects Helm to the cluster of KUBECONFIG. Releases are Secrets, as those of helm.
func configuration(namespace string) (*action.Configuration, error) {
	settings := cli.New()
	settings.SetNamespace(namespace)
	c := new(action.Configuration)
	return c, c.Init(settings.RESTClientGetter(), namespace, "secret", func(string, ...any) {})
}

// prepare connects to the cluster, and loads the chart and its values.
func prepare(o options) (c *action.Configuration, loaded *chart.Chart, merged map[string]any, err error) {
	if loaded, merged, err = o.load(); err != nil {
		return nil, nil, nil, err
	}
	c, err = configuration(o.namespace)
	return c, loaded, merged, err
}

// install is "helm install --wait".
func install(ctx context.Context, w io.Writer, o options) error {
	c, loaded, merged, err := prepare(o)
	if err != nil {
		return err
	}
	run := action.NewInstall(c)
	run.ReleaseName, run.Namespace, run.Wait, run.Timeout = o.release, o.namespace, true, timeout
	r, err := run.RunWithContext(ctx, loaded, merged)
	return report(w, r, err)
}

// upgrade is "helm upgrade --reuse-values --wait".
func upgrade(ctx context.Context, w io.Writer, o options) error {
	c, loaded, merged, err := prepare(o)
	if err != nil {
		return err
	}
	run := action.NewUpgrade(c)
	run.Namespace, run.ReuseValues, run.Wait, run.Timeout = o.namespace, true, true, timeout
	r, err := run.RunWithContext(ctx, o.release, loaded, merged)
	return report(w, r, err)
}

// report prints what helm prints about a release, or returns the error of the action.
func report(w io.Writer, r *release.Release, err error) error {
	if err != nil {
		return err
	}
	if r == nil || r.Info == nil {
		return errors.New("helm returned no release")
	}
	_, err = fmt.Fprintf(w, "NAME: %s\nNAMESPACE: %s\nSTATUS: %s\nREVISION: %d\nNOTES:\n%s\n", r.Name, r.Namespace, r.Info.Status, r.Version, r.Info.Notes)
	return err
}

// uninstall is "helm uninstall --wait".
func uninstall(_ context.Context, w io.Writer, o options) error {
	c, err := configuration(o.namespace)
	if err != nil {
		return err
	}
	run := action.NewUninstall(c)
	run.Wait, run.Timeout, run.DeletionPropagation = true, timeout, "background"
	response, err := run.Run(o.release)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "release %q uninstalled\n%s", o.release, response.Info)
	return err
}
