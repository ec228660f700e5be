package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
)

// clusterCommand groups the commands for the nodes of a cluster. Each works at any node
// that runs. See docs/cluster.md.
type clusterCommand struct {
	Status   clusterStatusCommand `cmd:"" help:"List the nodes with their leases, as the node of the data directory sees them."`
	Cordon   cordonCommand        `cmd:"" help:"Exclude a node from serving functions of its own, until uncordon."`
	Uncordon uncordonCommand      `cmd:"" help:"End the effect of cordon."`
	Fence    fenceCommand         `cmd:"" help:"Remove a node that is gone, after its lease must have ended."`
}

type clusterStatusCommand struct{ outputFlags }

// Run prints a table.
func (c *clusterStatusCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	status, err := callAdmin(line.DataDir, "read the state of the cluster", func(client *admin.Client) (admin.ClusterStatus, error) {
		return client.ClusterStatus(ctx)
	})
	if err != nil {
		return err
	}
	if c.json() {
		return printJSON(s.out, status)
	}
	if status.Error != "" {
		fmt.Fprintln(s.err, "jeton: the database cannot be read, and the table shows an older state:", status.Error)
	}
	if !status.Lease {
		fmt.Fprintf(s.err, "jeton: %s has no lease: it answers no calls and requests\n", status.Node)
	}
	if len(status.Members) == 0 {
		_, err := fmt.Fprintf(s.out, "%s is not a node of a cluster: it is the only server of its database\n", status.Node)
		return err
	}
	return c.print(s.out, status, "NODE\tSTATE\tADDRESS\tVERSION\tLEASE\tAPPLIED\tLAG\tCLOCK\tFUNCTIONS\tINCARNATION", rows(status.Members, func(n admin.NodeStatus) []string {
		return []string{
			n.Name, n.State, n.Address, n.Version, formatSeconds(n.LeaseLeft), fmt.Sprint(n.Applied), fmt.Sprint(n.Lag),
			fmt.Sprintf("%+.3fs", n.ClockOffset), fmt.Sprint(n.Functions), n.Incarnation,
		}
	}))
}

func formatSeconds(seconds float64) string {
	return (time.Duration(seconds*1000) * time.Millisecond).Round(100 * time.Millisecond).String()
}

type cordonCommand struct {
	Node string `arg:"" help:"Name of the node."`
}

// Help implements kong.HelpProvider.
func (*cordonCommand) Help() string {
	return "The other nodes become the homes of its functions. The node still admits and forwards calls. The state remains when the node restarts."
}

// Run cordons the node.
func (c *cordonCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return changeNode(line, s, "cordon", c.Node, func(client *admin.Client) error { return client.Cordon(ctx, c.Node, true) })
}

type uncordonCommand struct {
	Node string `arg:"" help:"Name of the node."`
}

// Run ends the effect of cordon.
func (c *uncordonCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return changeNode(line, s, "uncordon", c.Node, func(client *admin.Client) error { return client.Cordon(ctx, c.Node, false) })
}

type fenceCommand struct {
	Node string `arg:"" help:"Name of the node."`
}

// Help implements kong.HelpProvider.
func (*fenceCommand) Help() string {
	return "The other nodes fence a node by themselves when it has not renewed its lease for the lease and the margin. The command does the same at once where they are delayed. It refuses a node that renews its lease."
}

// Run waits until the lease must have ended.
func (c *fenceCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return changeNode(line, s, "fence", c.Node, func(client *admin.Client) error { return client.Fence(ctx, c.Node) })
}

func changeNode(line *commandLine, s streams, verb, node string, change func(*admin.Client) error) error {
	_, err := callAdmin(line.DataDir, verb+" node", func(client *admin.Client) (struct{}, error) { return struct{}{}, change(client) })
	if err == nil {
		fmt.Fprintf(s.err, "jeton: %sed %s\n", map[string]string{"cordon": "cordon", "uncordon": "uncordon", "fence": "fenc"}[verb], node)
	}
	return err
}
