// Command chart does with deploy/helm/jeton what helm does, with Helm's own library, for tests and
// demonstrations on machines without helm:
//
//	chart -release NAME -namespace NAMESPACE -set KEY=VALUE... -values FILE... [COMMAND]
//
// COMMAND is template, the default, install, upgrade or uninstall. Upgrades keep the values.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/getter"
)

func main() {
	var o options
	flag.StringVar(&o.chart, "chart", "deploy/helm/jeton", "folder of the chart")
	flag.StringVar(&o.release, "release", "jeton", "name of the release")
	flag.StringVar(&o.namespace, "namespace", "jeton", "namespace of the release")
	flag.Var((*list)(&o.values.ValueFiles), "values", "file with values; repeatable")
	flag.Var((*list)(&o.values.Values), "set", "value, as KEY=VALUE; repeatable")
	flag.Parse()
	command, known := map[string]func(context.Context, io.Writer, options) error{
		"": template, "template": template, "install": install, "upgrade": upgrade, "uninstall": uninstall,
	}[flag.Arg(0)]
	if !known {
		fmt.Fprintf(os.Stderr, "chart: no command %q: use template, install, upgrade or uninstall\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := command(context.Background(), os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

type list []string

func (l *list) String() string         { return strings.Join(*l, " ") }
func (l *list) Set(value string) error { *l = append(*l, value); return nil }

type options struct {
	chart, release, namespace string
	values                    values.Options
}

// load returns the chart and the values of the options.
func (o options) load() (*chart.Chart, map[string]any, error) {
	loaded, err := loader.LoadDir(o.chart)
	if err != nil {
		return nil, nil, err
	}
	merged, err := o.values.MergeValues(getter.Providers{})
	return loaded, merged, err
}

// template is "helm template".
func template(_ context.Context, w io.Writer, o options) error { return render(w, o) }

// render writes the manifests of the chart.
func render(w io.Writer, o options) error {
	loaded, merged, err := o.load()
	if err != nil {
		return err
	}
	install := action.NewInstall(new(action.Configuration))
	install.DryRun, install.ClientOnly, install.Replace = true, true, true
	install.ReleaseName, install.Namespace = o.release, o.namespace
	install.KubeVersion = &chartutil.KubeVersion{Version: "v1.30.0", Major: "1", Minor: "30"}
	release, err := install.Run(loaded, merged)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, release.Manifest)
	return err
}
