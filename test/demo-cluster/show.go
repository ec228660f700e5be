package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	icluster "github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/nodes"
)

// A demo is what the transcript shows.
type demo struct {
	*cluster

	out     io.Writer
	profile *scw.Profile
	f       *function.Function
	// lasting is a token that is not revoked.
	lasting string
}

// api returns a client of the API of a node.
func (d *demo) api(n *nodes.Node) (*function.API, error) {
	client, err := scw.NewClient(scw.WithProfile(d.profile), scw.WithAPIURL(n.Endpoints.API))
	if err != nil {
		return nil, err
	}
	return function.NewAPI(client), nil
}

// call calls the function through a node.
func (d *demo) call(ctx context.Context, n *nodes.Node, token string) (int, string) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.Endpoints.Gateway, nil)
	if err != nil {
		return 0, err.Error()
	}
	request.Host = d.f.DomainName
	request.Header.Set("X-Auth-Token", token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 200))
	return response.StatusCode, string(body)
}

// expect calls the function through nodes and prints the results.
func (d *demo) expect(ctx context.Context, want int, token string, nodes ...*nodes.Node) error {
	for _, n := range nodes {
		begun := time.Now()
		status, body := d.call(ctx, n, token)
		fmt.Fprintf(d.out, "  call through %s: %d %q in %v\n", n.Name, status, body, time.Since(begun).Round(100*time.Microsecond))
		if status != want {
			return fmt.Errorf("got status %d through %s, want %d", status, n.Name, want)
		}
	}
	return nil
}

func (d *demo) show(ctx context.Context) error {
	if err := d.status(ctx, d.nodes[1]); err != nil {
		return err
	}
	config, err := scw.LoadConfigFromPath(server.CredentialsPath(d.nodes[0].Data))
	if err != nil {
		return err
	}
	d.profile = &config.Profile
	one, two, three := d.nodes[0], d.nodes[1], d.nodes[2]
	fmt.Fprintln(d.out, "\nDeploy a private function through node1")
	if err := d.deploy(ctx, one); err != nil {
		return err
	}
	api, err := d.api(one)
	if err != nil {
		return err
	}
	begun := time.Now()
	token, err := api.CreateToken(&function.CreateTokenRequest{FunctionID: &d.f.ID})
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "  token created in %v\n", time.Since(begun).Round(100*time.Microsecond))
	lasting, err := api.CreateToken(&function.CreateTokenRequest{FunctionID: &d.f.ID})
	if err != nil {
		return err
	}
	d.lasting = lasting.Token
	fmt.Fprintln(d.out, "\nCall it through node2, node1 and node3")
	if err := d.expect(ctx, http.StatusOK, token.Token, two, one, three); err != nil {
		return err
	}
	fmt.Fprintln(d.out, "\nRevoke the token through node3: it is refused everywhere")
	if err := d.revoke(three, token.ID); err != nil {
		return err
	}
	if err := d.expect(ctx, http.StatusForbidden, token.Token, d.nodes...); err != nil {
		return err
	}
	return d.killHome(ctx)
}

func (d *demo) revoke(n *nodes.Node, id string) error {
	api, err := d.api(n)
	if err != nil {
		return err
	}
	begun := time.Now()
	if _, err := api.DeleteToken(&function.DeleteTokenRequest{TokenID: id}); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "  revoked in %v\n", time.Since(begun).Round(100*time.Microsecond))
	return nil
}

func (d *demo) deploy(ctx context.Context, n *nodes.Node) error {
	api, err := d.api(n)
	if err != nil {
		return err
	}
	begun := time.Now()
	namespace, err := api.CreateNamespace(&function.CreateNamespaceRequest{Name: "demo"})
	if err != nil {
		return err
	}
	if _, err := api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: namespace.ID, RetryInterval: new(50 * time.Millisecond)}); err != nil {
		return err
	}
	d.f, err = deploy.Function(ctx, api, &function.CreateFunctionRequest{
		NamespaceID: namespace.ID, Name: "hello", Runtime: "python311", Privacy: function.FunctionPrivacyPrivate,
	}, map[string]string{"handler.py": "import os\n\ndef handle(event, context):\n    return 'hello'\n"})
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "  %s is %s after %v; its home is %s\n", d.f.DomainName, d.f.Status, time.Since(begun).Round(time.Millisecond), d.home().Name)
	return nil
}

// home returns the node that is the home of the function while all run.
func (d *demo) home() *nodes.Node {
	members := make([]store.Member, len(d.nodes))
	for i, n := range d.nodes {
		members[i] = store.Member{Incarnation: n.Name, Node: n.Name}
	}
	home, _ := icluster.Choose(members, d.f.ID)
	for _, n := range d.nodes {
		if n.Name == home.Node {
			return n
		}
	}
	return d.nodes[0]
}

// others returns all nodes but one.
func (d *demo) others(than *nodes.Node) []*nodes.Node {
	var others []*nodes.Node
	for _, n := range d.nodes {
		if n != than {
			others = append(others, n)
		}
	}
	return others
}

// killHome kills the home of the function, goes on with the others, and starts it again.
func (d *demo) killHome(ctx context.Context) error {
	home := d.home()
	rest := d.others(home)
	fmt.Fprintf(d.out, "\nKill %s, the home of the function\n", home.Name)
	if err := home.End(syscall.SIGKILL); err != nil {
		return err
	}
	if err := d.outage(ctx, "calls through "+rest[0].Name, func() bool { status, _ := d.call(ctx, rest[0], d.lasting); return status == http.StatusOK }); err != nil {
		return err
	}
	api, err := d.api(rest[1])
	if err != nil {
		return err
	}
	begun := time.Now()
	token, err := api.CreateToken(&function.CreateTokenRequest{FunctionID: &d.f.ID})
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "  token created through %s in %v\n", rest[1].Name, time.Since(begun).Round(time.Millisecond))
	if err := d.revoke(rest[0], token.ID); err != nil {
		return err
	}
	if err := d.expect(ctx, http.StatusForbidden, token.Token, rest...); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\nStart %s again\n", home.Name)
	if err := home.Start(ctx); err != nil {
		return err
	}
	if err := d.expect(ctx, http.StatusForbidden, token.Token, home); err != nil {
		return err
	}
	if err := d.expect(ctx, http.StatusOK, d.lasting, d.nodes...); err != nil {
		return err
	}
	return d.status(ctx, home)
}

// outage repeats an attempt until it succeeds, and prints for how long it has failed, and
// how long the slowest attempt took.
func (d *demo) outage(ctx context.Context, what string, attempt func() bool) error {
	begun, failed := time.Now(), 0
	var last time.Time
	var slowest time.Duration
	for ok := 0; ok < 5; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Since(begun) > 2*time.Minute {
			return fmt.Errorf("%s fail for 2 minutes", what)
		}
		sent := time.Now()
		succeeded := attempt()
		slowest = max(slowest, time.Since(sent))
		if succeeded {
			ok++
			continue
		}
		ok, last = 0, time.Now()
		failed++
		pause(ctx, 20*time.Millisecond)
	}
	lasted := time.Duration(0)
	if failed > 0 {
		lasted = last.Sub(begun)
	}
	fmt.Fprintf(d.out, "  %s: %d failed in the first %v, then they succeed; the slowest took %v\n",
		what, failed, lasted.Round(10*time.Millisecond), slowest.Round(10*time.Millisecond))
	return nil
}

// status prints what 'jeton cluster status' prints.
func (d *demo) status(ctx context.Context, n *nodes.Node) error {
	fmt.Fprintf(d.out, "\n$ jeton cluster status   # at %s\n", n.Name)
	command := exec.CommandContext(ctx, d.binary, "cluster", "status", "--data-dir", n.Data)
	command.Stdout, command.Stderr = d.out, os.Stderr
	return command.Run()
}

// pause waits between two attempts.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
