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

// run goes through the demo, in a folder of its own that it removes again.
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
			d.sayWhatNext()
			return
		}
		err = errors.Join(err, d.stopServer(), os.RemoveAll(d.dir))
		if err == nil {
			fmt.Fprintln(out, "\nEverything is destroyed, the server is stopped, nothing is left behind.")
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

// demo is one run of it.
type demo struct {
	out io.Writer
	// root is the checkout; dir holds all that the run makes.
	root, dir string
	server    *server
	terraform string
	languages []string
	// host is that of the Go function, to call by hand.
	host  string
	wrong int
}

// say starts a step.
func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.out, "\n==> "+format+"\n", args...)
}

// check prints one line of what was seen, and counts what is not as it should
// be.
func (d *demo) check(what string, want, got any) {
	verdict := "ok"
	if fmt.Sprint(want) != fmt.Sprint(got) {
		verdict = fmt.Sprintf("WRONG, should be %v", want)
		d.wrong++
	}
	fmt.Fprintf(d.out, "    %-52s %-12v %s\n", what, got, verdict)
}

func (d *demo) verdict() error {
	if d.wrong > 0 {
		return fmt.Errorf("%d of the lines above are not as they should be", d.wrong)
	}
	return nil
}

// applyExample applies the page that it all began with, as it stands.
func (d *demo) applyExample(ctx context.Context) error {
	d.say("Applying examples/function-token: the official provider's own example, as it stands")
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
	d.check("warned of a token that has expired already", true, strings.Contains(output, "Warning: The function token is already expired"))
	changes, err := d.plan(ctx, "function-token")
	d.check("a second plan", "no changes", changes)
	return err
}

// shortLife is how long the token lives that expires while the demo looks on.
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
	// The functions come first: the short token is to be young when it is used.
	progress := d.progress("building (the first Go build compiles the standard library)")
	began := time.Now()
	_, err := d.tf(ctx, "private-function", "apply", "-auto-approve", "-target=scaleway_function.hello")
	progress()
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "    the namespace and its functions are ready after %.1f s\n", time.Since(began).Seconds())
	return d.applyShortToken(ctx, time.Now().Add(shortLife))
}

// applyShortToken applies the rest, with a token that expires then.
func (d *demo) applyShortToken(ctx context.Context, expires time.Time) error {
	d.setExpiry(expires)
	_, err := d.tf(ctx, "private-function", "apply", "-auto-approve")
	return err
}

// importToken forgets a token and takes it back by its ID.
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
		d.check("objects left of "+example, 0, len(strings.Fields(left)))
	}
	return nil
}

func (d *demo) sayWhatNext() {
	fmt.Fprintf(d.out, `
The server is still running, with everything that was applied. To go on with it:

    export JETON_DATA_DIR=%s
    export PATH=%s:$PATH
    eval "$(jeton env)"
    cd %s
    jeton tf plan -var expires_at=%s
    jeton tf output -json tokens
    curl -i -H "Host: %s" -H "X-Auth-Token: ..." "$JETON_GATEWAY_URL/"

To end it:

    kill %d && rm -r %s
`, d.path("data"), filepath.Join(d.root, "bin"), d.path("private-function"), d.expiry(), d.host, d.server.pid(), d.dir)
}
