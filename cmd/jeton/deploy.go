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
	Namespace   string        `help:"Namespace of the function (name or ID), if its name is not unique." placeholder:"NAMESPACE"`
	Wait        bool          `help:"Wait until the deployment ends." default:"true" negatable:""`
	Timeout     time.Duration `help:"Maximum time to wait." default:"1h" placeholder:"DURATION"`
	Credentials string        `help:"File with the API key (default: <data-dir>.credentials.yaml)." placeholder:"FILE"`
}

// pollInterval is the time between two requests for the status of a deployment.
const pollInterval = 500 * time.Millisecond

// Run deploys the code that was uploaded last. A deployment that fails is an error.
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
		fmt.Fprintf(s.out, "function %s: deployment started\n", f.Name)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	return settle(ctx, api, f, s.out)
}

// find returns the function with the name or ID of the command line.
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
		return nil, fmt.Errorf("find function %q: not found in the project of the API key: check the name or ID, or set --credentials", c.Function)
	default:
		return nil, fmt.Errorf("find function %q: several functions have that name: set --namespace, or pass an ID: %s", c.Function, strings.Join(places, ", "))
	}
}

// bareID returns an ID without the region, which precedes it in Terraform.
func bareID(id string) string {
	return id[strings.LastIndexByte(id, '/')+1:]
}

// settle waits until a deployment ends, and prints its steps.
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
			return fmt.Errorf("deploy function %s: %s: see 'jeton logs --build %s'", f.Name, text(f.ErrorMessage), f.Name)
		case function.FunctionStatusPending, function.FunctionStatusCreating:
		default:
			return fmt.Errorf("deploy function %s: unexpected status %q", f.Name, f.Status)
		}
		if now := text(f.BuildMessage); now != "" && now != step {
			step = now
			fmt.Fprintln(out, step)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for function %s in status %q: %w", f.Name, f.Status, ctx.Err())
		case <-ticker.C:
		}
		current, err := api.GetFunction(&function.GetFunctionRequest{Region: f.Region, FunctionID: f.ID}, scw.WithContext(ctx))
		if e, ok := errors.AsType[*scw.ResponseError](err); ok && e.StatusCode == http.StatusServiceUnavailable {
			continue
		}
		if err != nil {
			return fmt.Errorf("get function %s: %w", f.Name, err)
		}
		f = current
	}
}
