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

	"github.com/jeton-dev/jeton/internal/printable"
)

// description is the introduction of --help.
const description = `Jeton runs serverless functions on your own machine. A private function accepts only calls with a token or an API key for it. Jeton implements Scaleway's Functions API v1beta1.

Each flag can also be set by the environment variable JETON_<FLAG>, or by its name in a configuration file.`

// commandLine has the flags that all commands share, and the commands.
type commandLine struct {
	Config  kong.ConfigFlag `help:"Configuration file, as YAML, instead of ~/.config/jeton/jeton.yaml." placeholder:"FILE"`
	DataDir string          `config:"DataDir" help:"Directory of the server's data." placeholder:"DIR" example:"~/.local/share/jeton"`

	Serve     serveCommand     `cmd:"" help:"Run the server."`
	Env       envCommand       `cmd:"" help:"Print the environment of clients: eval \"$(jeton env)\"."`
	Login     loginCommand     `cmd:"" help:"Save an API key of a server as a profile."`
	Apikey    apikeyCommand    `cmd:"" name:"apikey" help:"Manage the API keys of the running server."`
	Project   projectCommand   `cmd:"" help:"Manage the projects of the running server."`
	Cluster   clusterCommand   `cmd:"" help:"Manage the nodes of a cluster."`
	Audit     auditCommand     `cmd:"" help:"Print the audit log: changes and refused requests."`
	Deploy    deployCommand    `cmd:"" help:"Deploy the functions of a folder."`
	Dev       devCommand       `cmd:"" help:"Deploy the functions of a folder after every change."`
	Invoke    invokeCommand    `cmd:"" help:"Call a function, with a token that is revoked afterwards."`
	Logs      logsCommand      `cmd:"" help:"Print the output of a function, or its latest build log."`
	Function  functionCommand  `cmd:"" help:"List, get, delete, deploy and call functions."`
	Namespace namespaceCommand `cmd:"" help:"Manage namespaces."`
	Token     tokenCommand     `cmd:"" help:"Create, list, revoke, inspect and verify tokens."`
	Cron      cronCommand      `cmd:"" help:"List crons."`
	Trigger   triggerCommand   `cmd:"" help:"List triggers."`
	Domain    domainCommand    `cmd:"" help:"List custom domains."`
	Import    importCommand    `cmd:"" help:"Import an account of another service."`
	Export    exportCommand    `cmd:"" help:"Write everything to an archive: a Terraform configuration and the code."`
	Ca        caCommand        `cmd:"" help:"Print the certificate of the local authority."`
	Backup    backupCommand    `cmd:"" help:"Back up the data directory to a file; the server may be running."`
	Restore   restoreCommand   `cmd:"" help:"Restore a backup to a new data directory."`
	Reseal    resealCommand    `cmd:"" help:"Encrypt all secrets with the first key of the sealing key file."`
	Tf        tfCommand        `cmd:"" passthrough:"" help:"Run terraform or tofu against the local server: jeton tf plan."`
	Doctor    doctorCommand    `cmd:"" help:"Report which languages and isolation levels work on this machine."`
	Agent     agentCommand     `cmd:"" hidden:"" help:"Programs in the Pods of functions."`
	Version   versionCommand   `cmd:"" help:"Print the version."`

	shellCommands
}

// streams are the standard streams of a command.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run executes a command line and returns the exit status: that of terraform for tf, 2
// for a command line that cannot be parsed, and 1 for any other failure.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	var line commandLine
	exited := -1
	parser, err := newParser(&line, configFiles(args), kong.Writers(out, errOut), kong.Exit(func(status int) { exited = status }))
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

// status prints the error of a command and returns the exit status.
func status(err error, errOut io.Writer) int {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*exec.ExitError](err); ok && e.ExitCode() >= 0 {
		return e.ExitCode()
	}
	// The text may contain what another server has answered.
	fmt.Fprintln(errOut, "jeton:", printable.Text(err.Error()))
	return 1
}
