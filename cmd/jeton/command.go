package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/jeton-dev/jeton/internal/server"
)

// description is what --help says first.
const description = `Jeton runs serverless functions on your own machine, and opens private ones only to a token that was issued for them. It speaks Scaleway's Functions API v1beta1.

Every flag can be given as JETON_<FLAG> in the environment, or in a configuration file.`

// commandLine is the whole of it: what is common, and the commands.
type commandLine struct {
	Config  kong.ConfigFlag `help:"Read settings from this YAML file as well." placeholder:"FILE"`
	DataDir string          `help:"Keep everything that must survive a restart in this folder." default:"${dataDir}" placeholder:"DIR"`

	Serve   serveCommand   `cmd:"" help:"Run the server."`
	Env     envCommand     `cmd:"" help:"Print the export lines by which clients find the server: eval \"$(jeton env)\"."`
	Apikey  apikeyCommand  `cmd:"" name:"apikey" help:"Say who may call: make, list, revoke and rotate API keys of the running server."`
	Project projectCommand `cmd:"" help:"Make and list the projects of the running server."`
	Audit   auditCommand   `cmd:"" help:"Print who has changed what at the API, when and from where, and who was refused."`
	Deploy  deployCommand  `cmd:"" help:"Deploy a function again, for example after a deployment that failed."`
	Logs    logsCommand    `cmd:"" help:"Print what a function has printed, or the log of its latest build."`
	Token   tokenCommand   `cmd:"" help:"Look into a token, or verify it."`
	Ca      caCommand      `cmd:"" help:"Print the certificate of the local authority, for clients to trust."`
	Backup  backupCommand  `cmd:"" help:"Write all that the server keeps into one file, while it runs."`
	Restore restoreCommand `cmd:"" help:"Make a data folder of a backup."`
	Tf      tfCommand      `cmd:"" passthrough:"" help:"Run terraform (or tofu) with the provider and the local server set up; everything after tf is passed on."`
	Doctor  doctorCommand  `cmd:"" help:"Tell what this machine gives the server: which languages it can build and run."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run runs one command line and returns the exit status: that of terraform for
// tf, 2 for a wrong command line, 1 for any other failure.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	var line commandLine
	exited := -1
	parser, err := kong.New(&line,
		kong.Name("jeton"), kong.Description(description), kong.UsageOnError(),
		kong.Writers(out, errOut), kong.Exit(func(status int) { exited = status }),
		kong.DefaultEnvars("JETON"), kong.Configuration(loadYAML, configPaths()...),
		defaults(),
	)
	if err != nil {
		fmt.Fprintln(errOut, "jeton:", err)
		return 1
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintln(errOut, "jeton:", err)
		return 2
	}
	parsed.BindTo(ctx, new(context.Context))
	return status(parsed.Run(&line, streams{in: in, out: out, err: errOut}), errOut)
}

// status turns the end of a command into an exit status.
func status(err error, errOut io.Writer) int {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*exec.ExitError](err); ok && e.ExitCode() >= 0 {
		return e.ExitCode()
	}
	fmt.Fprintln(errOut, "jeton:", err)
	return 1
}

// defaults are the values that the help names.
func defaults() kong.Vars {
	c := server.DefaultConfig(server.DefaultDataDir())
	vars := kong.Vars{
		"maxTimeout":       c.Limits.MaxTimeout.String(),
		"maxNamespaces":    fmt.Sprint(c.Limits.Namespaces),
		"maxFunctions":     fmt.Sprint(c.Limits.Functions),
		"maxDomains":       fmt.Sprint(c.Limits.Domains),
		"maxScale":         fmt.Sprint(c.Limits.MaxScale),
		"maxVariables":     fmt.Sprint(c.Limits.Variables),
		"maxVariableSize":  fmt.Sprint(c.Limits.VariableSize),
		"maxSecretSize":    fmt.Sprint(c.Limits.SecretSize),
		"maxArchiveSize":   fmt.Sprint(c.Limits.ArchiveSize),
		"maxPayloadSize":   fmt.Sprint(c.Limits.PayloadSize),
		"maxStorage":       fmt.Sprint(c.Limits.Storage),
		"dataDir":          c.DataDir,
		"cacheDir":         c.CacheDir,
		"apiListen":        c.APIListen,
		"gatewayListen":    c.GatewayListen,
		"opsListen":        c.OpsListen,
		"stopDelay":        c.StopDelay.String(),
		"domain":           c.Domain,
		"buildTimeout":     c.BuildTimeout.String(),
		"buildDisk":        fmt.Sprint(c.BuildDisk),
		"buildCache":       fmt.Sprint(c.BuildCache),
		"builds":           fmt.Sprint(c.BuildsAtOnce),
		"cacheSize":        fmt.Sprint(c.CacheSize),
		"projectCacheSize": fmt.Sprint(c.ProjectCacheSize),
		"logSize":          fmt.Sprint(c.LogSize),
		"startTimeout":     c.StartTimeout.String(),
		"stopTimeout":      c.StopTimeout.String(),
		"queue":            fmt.Sprint(c.Scale.Queue),
		"idleToOne":        c.Scale.IdleToOne.String(),
		"idleToZero":       c.Scale.IdleToZero.String(),
		"isolation":        c.Isolation,
		"spare":            fmt.Sprint(c.Spare.Least),
		"spareMost":        fmt.Sprint(c.Spare.Most),
		"instanceDisk":     fmt.Sprint(c.InstanceDisk),
		"spareMemory":      fmt.Sprint(c.Spare.Memory),
		"wrongKeys":        fmt.Sprint(c.WrongKeys),
		"minTimeout":       c.Limits.MinTimeout.String(),
	}
	return vars.CloneWith(limitDefaults(c))
}
