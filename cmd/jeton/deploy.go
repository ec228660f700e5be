package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// deployCommand deploys a function again.
type deployCommand struct {
	Function    string        `arg:"" help:"Name or ID of the function."`
	Namespace   string        `help:"Name or ID of its namespace, where several have a function of that name." placeholder:"NAMESPACE"`
	Wait        bool          `help:"Wait until the deployment ends (default true)." default:"true" negatable:""`
	Timeout     time.Duration `help:"Maximum time to wait." default:"1h"`
	Credentials string        `help:"File with the API key (default: the data folder's name and .credentials.yaml)." placeholder:"FILE"`
}

// pollInterval is how often a deployment is looked at.
const pollInterval = 500 * time.Millisecond

// Run deploys the code that was uploaded last, and reports how the deployment ended.
// A deployment that fails is an error.
func (c *deployCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	client, _, err := localServer(line.DataDir, c.Credentials)
	if err != nil {
		return err
	}
	api := function.NewAPI(client)
	f, err := c.find(ctx, api)
	if err != nil {
		return err
	}
	f, err = api.DeployFunction(&function.DeployFunctionRequest{Region: f.Region, FunctionID: f.ID}, scw.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("deploy function %s: %w", c.Function, err)
	}
	if !c.Wait {
		fmt.Fprintf(s.out, "function %s is being deployed\n", f.Name)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	return settle(ctx, api, f, s.out)
}

// find returns the one function that is meant.
func (c *deployCommand) find(ctx context.Context, api *function.API) (*function.Function, error) {
	var found []*function.Function
	var places []string
	for _, region := range api.Regions() {
		namespaces, err := api.ListNamespaces(&function.ListNamespacesRequest{Region: region}, scw.WithContext(ctx), scw.WithAllPages())
		if err != nil {
			return nil, fmt.Errorf("list namespaces: %w", err)
		}
		for _, n := range namespaces.Namespaces {
			if c.Namespace != "" && c.Namespace != n.Name && c.Namespace != n.ID {
				continue
			}
			functions, err := api.ListFunctions(&function.ListFunctionsRequest{Region: region, NamespaceID: n.ID}, scw.WithContext(ctx), scw.WithAllPages())
			if err != nil {
				return nil, fmt.Errorf("list functions of namespace %s: %w", n.Name, err)
			}
			for _, f := range functions.Functions {
				if f.Name == c.Function || f.ID == bareID(c.Function) {
					found = append(found, f)
					places = append(places, fmt.Sprintf("%s of namespace %s in %s", f.ID, n.Name, region))
				}
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fmt.Errorf("find function %q: the project of the API key has none of that name or ID: name another, or other credentials", c.Function)
	default:
		return nil, fmt.Errorf("find function %q: several have that name: pass --namespace, or the ID of one: %s", c.Function, strings.Join(places, ", "))
	}
}

// bareID returns an ID without the region that Terraform writes before it.
func bareID(id string) string {
	return id[strings.LastIndexByte(id, '/')+1:]
}

// settle reports each step of a deployment until it ends.
func settle(ctx context.Context, api *function.API, f *function.Function, out io.Writer) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	step := ""
	for {
		switch f.Status {
		case function.FunctionStatusReady:
			fmt.Fprintf(out, "function %s is ready: https://%s\n", f.Name, f.DomainName)
			return nil
		case function.FunctionStatusError:
			return fmt.Errorf("deploy function %s: %s: correct it, and see 'jeton logs --build %s'", f.Name, text(f.ErrorMessage), f.Name)
		case function.FunctionStatusPending, function.FunctionStatusCreating:
		default:
			return fmt.Errorf("deploy function %s: it is in status %q", f.Name, f.Status)
		}
		if now := text(f.BuildMessage); now != "" && now != step {
			step = now
			fmt.Fprintln(out, step)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for function %s, which is in status %q: %w", f.Name, f.Status, ctx.Err())
		case <-ticker.C:
		}
		current, err := api.GetFunction(&function.GetFunctionRequest{Region: f.Region, FunctionID: f.ID}, scw.WithContext(ctx))
		if e, ok := errors.AsType[*scw.ResponseError](err); ok && e.StatusCode == http.StatusServiceUnavailable {
			continue
		}
		if err != nil {
			return fmt.Errorf("look at function %s: %w", f.Name, err)
		}
		f = current
	}
}
