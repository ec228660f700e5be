package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/remote"
)

// functionCommand groups the commands for functions.
type functionCommand struct {
	List   listFunctionsCommand  `cmd:"" help:"List the functions."`
	Get    getFunctionCommand    `cmd:"" help:"Print a function."`
	Delete deleteFunctionCommand `cmd:"" help:"Delete functions with their tokens, crons, triggers and domains."`
	Deploy redeployCommand       `cmd:"" help:"Deploy the code that was uploaded last again, for example after a failure."`
	Logs   logsCommand           `cmd:"" help:"Same as jeton logs."`
	Invoke invokeCommand         `cmd:"" help:"Same as jeton invoke."`
}

type listFunctionsCommand struct {
	Namespace string `env:"-" help:"Namespace: NAME, ID or REGION/ID (default: all)." placeholder:"NAMESPACE"`
	remoteCommand
	outputFlags
}

// Run prints a table.
func (c *listFunctionsCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		var namespace *function.Namespace
		if c.Namespace != "" {
			found, err := server.Namespace(ctx, c.Namespace)
			if err != nil {
				return err
			}
			namespace = found
		}
		all, err := server.AllFunctions(ctx, namespace)
		if err != nil {
			return err
		}
		objects := make([]*function.Function, len(all))
		for i, f := range all {
			objects[i] = f.Function
		}
		return c.print(s.out, objects, "FUNCTION\tSTATUS\tRUNTIME\tPRIVACY\tREGION\tUPDATED\tID", rows(all, func(f remote.Found) []string {
			o := f.Function
			return []string{f.Name(), string(o.Status), string(o.Runtime), string(o.Privacy), string(o.Region), formatTime(o.UpdatedAt, "-"), o.ID}
		}))
	})
}

// functionArgument is a function on the command line.
type functionArgument struct {
	Function string `arg:"" help:"Function: NAME, NAMESPACE/NAME, ID or REGION/ID."`
}

type getFunctionCommand struct {
	functionArgument
	remoteCommand
	outputFlags
}

// Run prints the properties of a function.
func (c *getFunctionCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		found, err := server.Function(ctx, c.Function)
		if err != nil {
			return err
		}
		info, err := server.Info(ctx)
		if err != nil {
			return err
		}
		f := found.Function
		var variables, secrets []string
		for name := range f.EnvironmentVariables {
			variables = append(variables, name)
		}
		for _, secret := range f.SecretEnvironmentVariables {
			secrets = append(secrets, secret.Key)
		}
		return c.printObject(s.out, f, [][2]string{
			{"function", found.Name()},
			{"id", f.ID},
			{"region", string(f.Region)},
			{"status", string(f.Status)},
			{"error", text(f.ErrorMessage)},
			{"url", info.URL(found)},
			{"domain", f.DomainName},
			{"privacy", string(f.Privacy)},
			{"runtime", string(f.Runtime)},
			{"handler", f.Handler},
			{"memory", strconv.Itoa(int(f.MemoryLimit)) + " MB"},
			{"timeout", f.Timeout.ToTimeDuration().String()},
			{"instances", fmt.Sprintf("%d to %d", f.MinScale, f.MaxScale)},
			{"http", string(f.HTTPOption)},
			{"variables", joined(variables)},
			{"secrets", joined(secrets)},
			{"description", text(f.Description)},
			{"deployed", formatTime(f.ReadyAt, "never")},
		})
	})
}

type deleteFunctionCommand struct {
	Functions []string `arg:"" name:"function" help:"Functions: NAME, NAMESPACE/NAME, ID or REGION/ID."`
	remoteCommand
}

// Run deletes the functions and prints their names.
func (c *deleteFunctionCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		all := make([]remote.Found, len(c.Functions))
		for i, name := range c.Functions {
			found, err := server.Function(ctx, name)
			if err != nil {
				return err
			}
			all[i] = found
		}
		for _, f := range all {
			if err := server.DeleteFunction(ctx, f); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "function %s is deleted\n", f.Name())
		}
		return nil
	})
}

// redeployCommand deploys a function again.
type redeployCommand struct {
	functionArgument
	Wait    bool          `env:"-" help:"Wait until the deployment ends." default:"true" negatable:""`
	Timeout time.Duration `env:"-" help:"Maximum time to wait." default:"1h" placeholder:"DURATION"`
	remoteCommand
}

// Run deploys the code that was uploaded last. A deployment that fails is an error.
func (c *redeployCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		found, err := server.Function(ctx, c.Function)
		if err != nil {
			return err
		}
		f := found.Function
		if !c.Wait {
			_, err := server.Functions.DeployFunction(&function.DeployFunctionRequest{Region: f.Region, FunctionID: f.ID}, scw.WithContext(ctx))
			if err != nil {
				return fmt.Errorf("deploy function %s: %w", found.Name(), err)
			}
			fmt.Fprintf(s.out, "function %s: deployment started\n", found.Name())
			return nil
		}
		ctx, cancel := context.WithTimeout(ctx, c.Timeout)
		defer cancel()
		_, err = server.Deploy(ctx, f, deployer{out: newTerminal(s.err)}.show)
		if err != nil {
			return err
		}
		info, err := server.Info(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "function %s is ready: %s\n", found.Name(), info.URL(found))
		return nil
	})
}

// joined returns words in one text, separated by commas.
func joined(words []string) string { return strings.Join(words, ", ") }

// bareID returns an ID without the region, which precedes it in Terraform.
func bareID(id string) string {
	return id[strings.LastIndexByte(id, '/')+1:]
}
