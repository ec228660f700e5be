package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/test/await"
)

const (
	// deleters is the number of concurrent deletions.
	deleters = 8
	// disturbedRevocations is the number of revocations during each disturbance.
	disturbedRevocations = 24
	// disturbances is how often each kind of disturbance is repeated.
	disturbances = 2
)

// A disturbance breaks a part of the cluster until heal is called.
type disturbance struct {
	name  string
	begin func(context.Context, *cluster, *node) (heal func() error, err error)
}

// fails is a disturbance without a result.
func fails(begin func(*cluster, *node) error, heal func(context.Context, *cluster, *node) error) func(context.Context, *cluster, *node) (func() error, error) {
	return func(ctx context.Context, c *cluster, n *node) (func() error, error) {
		return func() error { return heal(ctx, c, n) }, begin(c, n)
	}
}

var disturbancesOfClusters = []disturbance{
	{"a node cut off from the database", fails(
		func(_ *cluster, n *node) error { n.toDatabase.Cut(); return nil },
		func(ctx context.Context, _ *cluster, n *node) error { n.toDatabase.Mend(); return n.awaitReady(ctx) })},
	{"a node stopped and resumed", fails(
		func(_ *cluster, n *node) error { return n.process.Process.Signal(syscall.SIGSTOP) },
		func(ctx context.Context, _ *cluster, n *node) error {
			return errors.Join(n.process.Process.Signal(syscall.SIGCONT), n.awaitReady(ctx))
		})},
	{"a node killed", fails(
		func(_ *cluster, n *node) error { n.kill(); return nil },
		func(ctx context.Context, _ *cluster, n *node) error { return n.begin(ctx) })},
	{"PostgreSQL restarted", fails(
		func(c *cluster, _ *node) error { return c.shared.Postgres.Crash() },
		func(ctx context.Context, c *cluster, _ *node) error {
			return errors.Join(c.shared.Postgres.Resume(), c.awaitReady(ctx))
		})},
	{"nodes cut off from each other", fails(
		func(c *cluster, _ *node) error {
			for _, n := range c.nodes {
				n.fromPeers.Cut()
			}
			return nil
		},
		func(ctx context.Context, c *cluster, _ *node) error {
			for _, n := range c.nodes {
				n.fromPeers.Mend()
			}
			return c.awaitReady(ctx)
		})},
	{"no notifications", fails(
		func(c *cluster, _ *node) error { return c.execute("INSERT INTO mute VALUES (1)") },
		func(_ context.Context, c *cluster, _ *node) error { return c.execute("DELETE FROM mute") })},
}

// awaitReady waits until all nodes are ready.
func (c *cluster) awaitReady(ctx context.Context) error {
	for _, n := range c.nodes {
		if err := n.awaitReady(ctx); err != nil {
			return err
		}
	}
	return nil
}

// revokeInCluster deletes tokens through random nodes while all nodes are called, first
// undisturbed and then during each disturbance.
func revokeInCluster(ctx context.Context, h *harness) (string, error) {
	c, err := h.newCluster(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.close() }()
	r, err := c.newRevocation(ctx, revocations+len(disturbancesOfClusters)*disturbances*disturbedRevocations)
	if err != nil {
		return "", err
	}
	defer r.stop()
	if err := r.delete(ctx, revocations); err != nil {
		return "", err
	}
	var kinds []string
	for _, d := range disturbancesOfClusters {
		kinds = append(kinds, d.name)
		for range disturbances {
			if err := r.disturb(ctx, d, disturbedRevocations); err != nil {
				return "", fmt.Errorf("%s: %w", d.name, err)
			}
		}
	}
	r.stop()
	irregular := 0
	for _, t := range r.load.tokens {
		if !t.history.regular() {
			irregular++
		}
	}
	line := fmt.Sprintf("cluster: %d revocations, %d nodes, with %s: %d calls in all, %d sent after the answer, %d of them admitted; %d of %d histories irregular; the slowest answer took %.1f s",
		len(r.load.tokens), nodeCount, strings.Join(kinds, ", "), r.load.admitted.Load()+r.load.refused.Load()+r.load.failed.Load(),
		r.load.late.Load(), r.load.lateAdmitted.Load(), irregular, len(r.load.tokens), time.Duration(r.slowest.Load()).Seconds())
	if r.load.lateAdmitted.Load() > 0 || irregular > 0 || r.load.late.Load() < int64(len(r.load.tokens)) || r.load.admitted.Load() < int64(len(r.load.tokens)) {
		return line, errBroken
	}
	return line, nil
}

// unconfirmedAnswersAreDetected runs the proof with nodes that answer without waiting for
// each other: every disturbance must show calls that are admitted.
func unconfirmedAnswersAreDetected(ctx context.Context, h *harness) (string, error) {
	c, err := h.newCluster(ctx, unconfirmedFlag)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.close() }()
	r, err := c.newRevocation(ctx, len(disturbancesOfClusters)*2*disturbedRevocations)
	if err != nil {
		return "", err
	}
	defer r.stop()
	// Without notifications the nodes differ for up to a second, so that calls between are
	// certain on a busy machine, too.
	if err := c.execute("INSERT INTO mute VALUES (1)"); err != nil {
		return "", err
	}
	var missed, found []string
	for _, d := range disturbancesOfClusters {
		before := r.load.lateAdmitted.Load()
		if err := r.disturb(ctx, d, 2*disturbedRevocations); err != nil {
			return "", fmt.Errorf("%s: %w", d.name, err)
		}
		admitted := r.load.lateAdmitted.Load() - before
		found = append(found, fmt.Sprintf("%s %d", d.name, admitted))
		if admitted == 0 {
			missed = append(missed, d.name)
		}
	}
	line := "self-test with nodes that do not wait for each other, late calls admitted, at least 1 must be detected in all cases but one: " + strings.Join(found, ", ")
	// While nodes are cut off from each other, most callers wait for a home that they do not
	// reach, and few calls are late.
	if len(missed) > 1 {
		return line, errBroken
	}
	return line, nil
}

// A revocation is a cluster with tokens in use, which are deleted one after another.
type revocation struct {
	cluster *cluster
	load    *load
	next    atomic.Int64
	slowest atomic.Int64
	cancel  context.CancelFunc
}

// newRevocation deploys functions, creates tokens, and starts a load over all nodes.
func (c *cluster) newRevocation(ctx context.Context, count int) (*revocation, error) {
	first := c.nodes[0]
	namespaceID, err := first.namespace(ctx, "revoke")
	if err != nil {
		return nil, err
	}
	var all []*function.Function
	for i := range 4 {
		f, err := first.deploy(ctx, namespaceID, fmt.Sprint("quick", i), fast, 2)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	// A call at a node that is cut off from the home waits.
	l := &load{gateways: c.gateways(), records: true, timeout: 250 * time.Millisecond, tokens: make([]*token, count)}
	creating, creatingContext := errgroup.WithContext(ctx)
	creating.SetLimit(deleters)
	for i := range count {
		creating.Go(func() error {
			t, err := c.create(creatingContext, all[i%len(all)])
			l.tokens[i] = t
			return err
		})
	}
	if err := creating.Wait(); err != nil {
		return nil, err
	}
	r := &revocation{cluster: c, load: l}
	running, cancel := context.WithCancel(ctx)
	r.cancel = cancel
	l.begin(running)
	if err := await.Until(ctx, "500 calls are admitted", func() bool { return l.admitted.Load() > 500 }); err != nil {
		r.stop()
		return nil, fmt.Errorf("start load: %w", err)
	}
	return r, nil
}

// create creates a token through a random node.
func (c *cluster) create(ctx context.Context, f *function.Function) (*token, error) {
	begun := time.Now().UnixNano()
	created, err := c.any().CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}, scw.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	t := &token{text: created.Token, host: f.DomainName, id: created.ID}
	t.history.created = interval{begun, time.Now().UnixNano()}
	t.history.delete = interval{pending, pending}
	return t, nil
}

func (r *revocation) stop() {
	r.cancel()
	r.load.group.Wait()
}

// disturb begins a disturbance, deletes tokens, and heals it when deletions are answered
// again or the database cannot answer any.
func (r *revocation) disturb(ctx context.Context, d disturbance, count int) error {
	heal, err := d.begin(ctx, r.cluster, r.cluster.any())
	if err != nil {
		return err
	}
	deleted := make(chan error, 1)
	go func() { deleted <- r.delete(ctx, count) }()
	// The lease and the margin are 6 s. The stopped node must go on after it was fenced.
	select {
	case err = <-deleted:
		deleted <- err
	case <-time.After(9 * time.Second):
	}
	if err := heal(); err != nil {
		return err
	}
	// Calls at the node that is back must be late calls.
	err = <-deleted
	pause(ctx, time.Second)
	return err
}

// delete deletes the next tokens through random nodes, several at a time.
func (r *revocation) delete(ctx context.Context, count int) error {
	var group sync.WaitGroup
	failed := make(chan error, deleters)
	left := atomic.Int64{}
	left.Store(int64(count))
	for range deleters {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				i := r.next.Add(1) - 1
				r.load.current.Store(i)
				if err := r.deleteOne(ctx, r.load.tokens[i]); err != nil {
					failed <- err
					return
				}
				pause(ctx, betweenRevocations)
			}
		})
	}
	group.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return ctx.Err()
	}
}

// deleteTimeout is how long a client waits for an answer before it asks another node.
const deleteTimeout = 30 * time.Second

// deleteOne deletes a token through random nodes, until one has answered that the token is
// deleted, or does not exist.
func (r *revocation) deleteOne(ctx context.Context, t *token) error {
	begun := time.Now()
	t.history.mu.Lock()
	t.history.delete.sent = begun.UnixNano()
	t.history.mu.Unlock()
	for attempt := 0; ; attempt++ {
		one, cancel := context.WithTimeout(ctx, deleteTimeout)
		_, err := r.cluster.any().DeleteToken(&function.DeleteTokenRequest{TokenID: t.id}, scw.WithContext(one))
		cancel()
		_, missing := errors.AsType[*scw.ResourceNotFoundError](err)
		if response, ok := errors.AsType[*scw.ResponseError](err); ok {
			missing = response.StatusCode == 404
		}
		if err == nil || missing {
			now := time.Now()
			t.deleted(now)
			r.slowest.Store(max(r.slowest.Load(), int64(now.Sub(begun))))
			return nil
		}
		if ctx.Err() != nil || time.Since(begun) > 2*time.Minute {
			return fmt.Errorf("delete token, attempt %d: %w", attempt, err)
		}
		pause(ctx, time.Duration(rand.IntN(200))*time.Millisecond)
	}
}

// execute executes a statement in the database of the cluster.
func (c *cluster) execute(statement string) error {
	return c.shared.Postgres.Execute(c.shared.Database, statement)
}
