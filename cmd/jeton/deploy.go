package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/remote"
	"github.com/jeton-dev/jeton/internal/source"
)

// projectFlags select the functions of a folder.
type projectFlags struct {
	Dir       string   `arg:"" optional:"" default:"." help:"Folder with the code, or with a functions.yaml that lists several functions."`
	Only      []string `env:"-" help:"Names of the functions of functions.yaml (default: all)." placeholder:"NAME"`
	Namespace string   `env:"-" help:"Name of the namespace (default: that of functions.yaml, or default)." placeholder:"NAME"`
	Name      string   `env:"-" help:"Name of the function without a functions.yaml (default: that of the folder)." placeholder:"NAME"`
	Runtime   string   `env:"-" help:"Runtime without a functions.yaml, such as node24 (default: detected)." placeholder:"RUNTIME"`
	Handler   string   `env:"-" help:"Handler without a functions.yaml, such as handler.handle (default: detected)." placeholder:"HANDLER"`
	Privacy   string   `env:"-" help:"Privacy without a functions.yaml: private or public (default: private)." placeholder:"PRIVACY"`
	Save      bool     `env:"-" help:"Write functions.yaml if there is none." default:"true" negatable:""`
}

// deployCommand deploys the functions of a folder.
type deployCommand struct {
	projectFlags
	remoteCommand
	Timeout time.Duration `env:"-" help:"Maximum time of a deployment." default:"1h" placeholder:"DURATION"`
	Token   *bool         `env:"-" help:"Print a curl command with a token for an hour (default: on a terminal)." negatable:""`
	outputFlags
}

// Help implements kong.HelpProvider.
func (*deployCommand) Help() string {
	return `The command detects the runtime and the handler, and writes them to functions.yaml. It deploys the files of the folder, except those that .jetonignore names in the syntax of .dockerignore. Progress goes to standard error.

Deploy the code that was uploaded last once more: jeton function deploy FUNCTION`
}

// deployed is the result for one function.
type deployed struct {
	ID        string `json:"id"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Region    string `json:"region"`
	URL       string `json:"url"`
	Domain    string `json:"domain_name"`
	Private   bool   `json:"private"`
	Token     string `json:"token,omitempty"`
}

// demoToken is the lifetime of the token in the printed curl command.
const demoToken = time.Hour

// Run deploys the functions one after the other and prints how to call them.
func (c *deployCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		project, err := c.load(ctx, server, s)
		if err != nil {
			return err
		}
		var all []deployed
		for _, name := range project.names {
			d := deployer{server: server, out: newTerminal(s.err), timeout: c.Timeout}
			found, err := d.deploy(ctx, project, name)
			if err != nil {
				return err
			}
			result, err := c.describe(ctx, server, found, s)
			if err != nil {
				return err
			}
			if all = append(all, result); !c.json() {
				printCurl(s, result)
			}
		}
		if c.json() {
			return printJSON(s.out, all)
		}
		return nil
	})
}

// describe returns the address of a function, with a token if one is wanted.
func (c *deployCommand) describe(ctx context.Context, server *remote.Server, f remote.Found, s streams) (deployed, error) {
	info, err := server.Info(ctx)
	if err != nil {
		return deployed{}, err
	}
	result := deployed{
		ID: f.Function.ID, Namespace: f.Namespace.Name, Name: f.Function.Name, Region: string(f.Function.Region), URL: info.URL(f),
		Domain: f.Function.DomainName, Private: f.Function.Privacy == function.FunctionPrivacyPrivate,
	}
	wanted := isTerminal(s.out) && !c.json()
	if c.Token != nil {
		wanted = *c.Token
	}
	if result.Private && wanted {
		token, err := server.Token(ctx, f.Function, demoToken, "jeton deploy")
		if err != nil {
			return deployed{}, err
		}
		result.Token = token.Token
	}
	return result, nil
}

// printCurl prints the URL of a function and a command that calls it.
func printCurl(s streams, d deployed) {
	fmt.Fprintln(s.out, d.URL)
	switch {
	case !d.Private:
		fmt.Fprintf(s.out, "curl %s\n", d.URL)
	case d.Token != "":
		fmt.Fprintf(s.out, "curl %s -H 'X-Auth-Token: %s'\n", d.URL, d.Token)
		fmt.Fprintf(s.err, "The token is valid for one hour. Create others: jeton token create %s/%s\n", d.Namespace, d.Name)
	default:
		fmt.Fprintf(s.out, "curl %s -H \"X-Auth-Token: $(jeton token create %s/%s --expires-in 1h)\"\n", d.URL, d.Namespace, d.Name)
	}
}

// A loadedProject is a project with the functions to deploy.
type loadedProject struct {
	source.Project

	dir   string
	names []string
}

// load returns the project of the folder. Without a project file it detects the function of the
// folder, and writes the file.
func (p *projectFlags) load(ctx context.Context, server *remote.Server, s streams) (loadedProject, error) {
	info, err := os.Stat(p.Dir)
	if err != nil || !info.IsDir() {
		return loadedProject{}, fmt.Errorf("deploy %s: not a folder: to deploy a function again, use 'jeton function deploy %s'", p.Dir, p.Dir)
	}
	project, err := source.LoadProject(p.Dir)
	if err == source.ErrNoProject { //nolint:errorlint // LoadProject returns it unwrapped.
		project, err = p.detect(ctx, server, s)
	} else if err == nil && (p.Name != "" || p.Runtime != "" || p.Handler != "" || p.Privacy != "") {
		err = fmt.Errorf("deploy %s: --name, --runtime, --handler and --privacy do not apply to a folder with a %s: change the file", p.Dir, source.ProjectFile)
	}
	if err != nil {
		return loadedProject{}, err
	}
	if p.Namespace != "" {
		project.Namespace = p.Namespace
	}
	if project.Namespace == "" {
		project.Namespace = source.DefaultNamespace
	}
	names := project.Names()
	if len(p.Only) > 0 {
		names = p.Only
	}
	for _, name := range names {
		if _, ok := project.Functions[name]; !ok {
			return loadedProject{}, fmt.Errorf("deploy %s: %s has no function %q", p.Dir, source.ProjectFile, name)
		}
	}
	return loadedProject{project, p.Dir, names}, nil
}

// spec returns the wanted state of a function. Secrets come from the environment.
func (p loadedProject) spec(name string) (remote.Spec, error) {
	f := p.Functions[name]
	spec := remote.Spec{
		Name: name, Runtime: f.Runtime, Handler: f.Handler, Privacy: f.Privacy, Description: f.Description, HTTPOption: f.HTTPOption,
		Memory: f.Memory, Timeout: f.Timeout, MinScale: f.MinScale, MaxScale: f.MaxScale, Env: f.Env, Secrets: map[string]string{},
	}
	if f.Runtime == "" || f.Handler == "" {
		return spec, fmt.Errorf("function %s: %s has no runtime or no handler: add both", name, source.ProjectFile)
	}
	for _, secret := range f.Secrets {
		value, ok := os.LookupEnv(secret)
		if !ok {
			return spec, fmt.Errorf("function %s: the secret %s is not set in the environment", name, secret)
		}
		spec.Secrets[secret] = value
	}
	return spec, nil
}

// folder returns the folder of the code of a function.
func (p loadedProject) folder(name string) string { return filepath.Join(p.dir, p.Functions[name].Dir) }

// A deployer deploys functions of a folder and shows progress.
type deployer struct {
	server  *remote.Server
	out     *terminal
	timeout time.Duration
	// quiet omits everything except errors and the output of builds.
	quiet bool
}

func (d deployer) say(format string, arguments ...any) {
	if !d.quiet {
		d.out.printf(format, arguments...)
	}
}

// deploy deploys one function of a project.
func (d deployer) deploy(ctx context.Context, project loadedProject, name string) (remote.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	archive, err := source.Pack(project.folder(name))
	if err != nil {
		return remote.Found{}, err
	}
	found, err := d.ensure(ctx, project, name)
	if err != nil {
		return found, err
	}
	return d.upload(ctx, found, archive)
}

// ensure creates or updates the namespace and the function.
func (d deployer) ensure(ctx context.Context, project loadedProject, name string) (remote.Found, error) {
	spec, err := project.spec(name)
	if err != nil {
		return remote.Found{}, err
	}
	region := d.server.Region()
	if project.Region != "" {
		region = scw.Region(project.Region)
	}
	n, created, err := d.server.EnsureNamespace(ctx, region, project.Namespace)
	if err != nil {
		return remote.Found{}, err
	}
	if created {
		d.say("Created namespace %s", n.Name)
	}
	f, created, changed, err := d.server.EnsureFunction(ctx, n, spec)
	if err != nil {
		return remote.Found{}, err
	}
	switch {
	case created:
		d.say("Created function %s/%s (%s, %s, %s)", n.Name, f.Name, f.Runtime, f.Handler, f.Privacy)
	case changed:
		d.say("Updated function %s/%s", n.Name, f.Name)
	}
	return remote.Found{Function: f, Namespace: n}, nil
}

// upload uploads and deploys the code of a function.
func (d deployer) upload(ctx context.Context, found remote.Found, archive source.Archive) (remote.Found, error) {
	began, size := time.Now(), len(archive.Content)
	label := "Uploading " + found.Name()
	err := d.server.Upload(ctx, found.Function, archive.Content, func(sent int) { d.out.progress(label, sent, size) })
	if err != nil {
		return found, err
	}
	d.say("Uploaded %s: %d %s, %s", found.Name(), archive.Files, plural(archive.Files, "file"), byteCount(size))
	f, err := d.server.Deploy(ctx, found.Function, d.show)
	if err != nil {
		return found, err
	}
	found.Function = f
	d.say("%s", d.out.colour(green, fmt.Sprintf("%s is ready after %s", found.Name(), time.Since(began).Round(time.Millisecond))))
	return found, nil
}

// show shows a step of a deployment, and the output of its build except lines that every build
// has.
func (d deployer) show(e remote.Event) {
	if e.Step != "" {
		d.say("%s", d.out.colour(dim, e.Step))
	}
	for line := range strings.Lines(e.Log) {
		text := strings.TrimSpace(line)
		if text != "" && text != "The build succeeded." && !strings.HasPrefix(text, "The same archive was built before") {
			d.out.block("  | ", line)
		}
	}
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// byteCount returns a number of bytes for people.
func byteCount(n int) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d bytes", n)
	case n < 10_000_000:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%d MB", n/1_000_000)
}
