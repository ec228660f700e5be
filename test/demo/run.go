package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// run runs the demo in a temporary folder. Unless keep is set, it removes the folder at
// the end.
func run(ctx context.Context, out io.Writer, keep bool) (err error) {
	d := &demo{out: out}
	if d.root, err = os.Getwd(); err != nil {
		return err
	}
	if d.dir, err = os.MkdirTemp("", "jeton-demo-"); err != nil {
		return err
	}
	defer func() {
		if keep && err == nil {
			d.printNextCommands()
			return
		}
		err = errors.Join(err, d.stopServer(), os.RemoveAll(d.dir))
		if err == nil {
			fmt.Fprintln(out, "\nAll objects are destroyed, the server is stopped, and the demo's files are removed.")
		}
	}()
	steps := []func(context.Context) error{d.findTerraform, d.findLanguages, d.startServer, d.applyExample, d.applyFunctions, d.callFunctions, d.importToken}
	if !keep {
		steps = append(steps, d.destroyAll)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return d.verdict()
}

// demo is one run of the demo.
type demo struct {
	out io.Writer
	// root is the checkout, and dir the folder for all files of the run.
	root, dir string
	server    *server
	terraform string
	languages []string
	// host is the host name of the Go function.
	host string
	// failed counts the failed checks.
	failed int
}

// say prints the heading of a step.
func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.out, "\n==> "+format+"\n", args...)
}

// check prints a result and whether it is the wanted one.
func (d *demo) check(what string, want, got any) {
	verdict := "ok"
	if fmt.Sprint(want) != fmt.Sprint(got) {
		verdict = fmt.Sprintf("FAILED, want %v", want)
		d.failed++
	}
	fmt.Fprintf(d.out, "    %-52s %-12v %s\n", what, got, verdict)
}

func (d *demo) verdict() error {
	if d.failed > 0 {
		return fmt.Errorf("%d of the checks above failed", d.failed)
	}
	return nil
}

// applyExample applies the example of the official provider's page on function tokens,
// unchanged.
func (d *demo) applyExample(ctx context.Context) error {
	d.say("Applying examples/function-token: the official provider's own example, unchanged")
	if err := d.copyExample("function-token"); err != nil {
		return err
	}
	began := time.Now()
	output, err := d.tf(ctx, "function-token", "apply", "-auto-approve")
	if err != nil {
		return err
	}
	objects, err := d.tf(ctx, "function-token", "state", "list")
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "    terraform apply took %.1f s\n", time.Since(began).Seconds())
	d.check("objects in the state", 4, len(strings.Fields(objects)))
	d.check("warning about a token that is already expired", true, strings.Contains(output, "Warning: The function token is already expired"))
	changes, err := d.plan(ctx, "function-token")
	d.check("a second plan", "no changes", changes)
	return err
}

// shortLife is the lifetime of the token that expires during the demo.
const shortLife = 8 * time.Second

func (d *demo) applyFunctions(ctx context.Context) error {
	d.say("Applying examples/private-function: %s, built from zip files", strings.Join(d.languages, ", "))
	if err := d.copyExample("private-function"); err != nil {
		return err
	}
	for _, language := range d.languages {
		if err := zipFolder(d.path("private-function", language), d.path("private-function", language+".zip")); err != nil {
			return err
		}
	}
	// The functions are applied first, because the short-lived token must be used soon
	// after its creation.
	stopProgress := d.progress("building (the first Go build compiles the standard library)")
	began := time.Now()
	_, err := d.tf(ctx, "private-function", "apply", "-auto-approve", "-target=scaleway_function.hello")
	stopProgress()
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "    the namespace and its functions are ready after %.1f s\n", time.Since(began).Seconds())
	return d.applyShortToken(ctx, time.Now().Add(shortLife))
}

// applyShortToken applies the rest of the example, with a token that expires at expires.
func (d *demo) applyShortToken(ctx context.Context, expires time.Time) error {
	d.setExpiry(expires)
	_, err := d.tf(ctx, "private-function", "apply", "-auto-approve")
	return err
}

// importToken removes a token from the state and imports it by its ID.
func (d *demo) importToken(ctx context.Context) error {
	d.say("Importing a token by its region and ID")
	const address = "scaleway_function_token.namespace"
	var id string
	if err := d.stateValue(ctx, "private-function", address, "id", &id); err != nil {
		return err
	}
	if _, err := d.tf(ctx, "private-function", "state", "rm", address); err != nil {
		return err
	}
	if _, err := d.tf(ctx, "private-function", "import", address, id); err != nil {
		return err
	}
	var imported string
	if err := d.stateValue(ctx, "private-function", address, "id", &imported); err != nil {
		return err
	}
	d.check("imported "+id[:strings.Index(id, "/")+9]+"...", true, imported == id)
	return nil
}

func (d *demo) destroyAll(ctx context.Context) error {
	d.say("Destroying everything")
	for _, example := range []string{"private-function", "function-token"} {
		if _, err := d.tf(ctx, example, "destroy", "-auto-approve"); err != nil {
			return err
		}
		left, err := d.tf(ctx, example, "state", "list")
		if err != nil {
			return err
		}
		d.check("objects in the state of "+example, 0, len(strings.Fields(left)))
	}
	return nil
}

func (d *demo) printNextCommands() {
	fmt.Fprintf(d.out, `
The server is still running, with all applied objects. To use it:

    export JETON_DATA_DIR=%s
    export PATH=%s:$PATH
    eval "$(jeton env)"
    cd %s
    jeton tf plan -var expires_at=%s
    jeton tf output -json tokens
    curl -i -H "Host: %s" -H "X-Auth-Token: ..." "$JETON_GATEWAY_URL/"

To stop it and remove its files:

    kill %d && rm -r %s
`, d.path("data"), filepath.Join(d.root, "bin"), d.path("private-function"), d.expiry(), d.host, d.server.pid(), d.dir)
}
