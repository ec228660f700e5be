package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/table"
)

var (
	spreadRounds = harness.Sized(7, 1)
	// callsEach is the number of calls of each function per round.
	callsEach = harness.Sized(1500, 20)
)

// functionCount is the number of functions, each with one caller.
const functionCount = 6

const hello = `package hello

import "net/http"

func Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte("` + harness.Hello + `")) }
`

// A target is a private function at the gateway of its home.
type target struct{ gateway, host, token string }

// spread compares three nodes, each of which gets the calls of the functions that it is the
// home of, with one node that gets all.
func spread(ctx context.Context, dir string) ([]harness.Result, error) {
	alone, err := newWorld(ctx, filepath.Join(dir, "alone"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = alone.close() }()
	if err := alone.add(ctx, 1); err != nil {
		return nil, err
	}
	return inCluster(ctx, filepath.Join(dir, "cluster"), func(w *world) ([]harness.Result, error) {
		var sides []func() (harness.Cost, error)
		for _, of := range []*world{w, alone} {
			targets, err := of.deploy(ctx)
			if err != nil {
				return nil, err
			}
			sides = append(sides, func() (harness.Cost, error) { return of.call(ctx, targets) })
		}
		costs, err := harness.WarmRounds(spreadRounds, sides...)
		if err != nil {
			return nil, err
		}
		perSecond := func(c harness.Cost) float64 { return functionCount * float64(callsEach) / c.CPU }
		return []harness.Result{harness.Compare("cluster-spread", "calls/CPU s", ">= 0.9",
			fmt.Sprintf("calls of %d functions at their homes, three nodes, per second of CPU of all nodes, compared with one node", functionCount),
			harness.Column(costs[0], perSecond), harness.Column(costs[1], perSecond))}, nil
	})
}

// deploy deploys the functions, and returns each with the gateway of its home.
func (w *world) deploy(ctx context.Context) ([]target, error) {
	members, err := w.members(ctx)
	if err != nil {
		return nil, err
	}
	return w.deployAt(ctx, func(functionID string) (string, error) {
		home, ok := cluster.Choose(members, functionID)
		if !ok {
			return "", errors.New("the cluster has no members")
		}
		var number int
		if _, err := fmt.Sscanf(home.Node, "node%d", &number); err != nil {
			return "", err
		}
		return w.nodes[number-1].Gateway, nil
	})
}

// deployAt deploys the functions, and returns each with the gateway that gatewayOf returns.
func (w *world) deployAt(ctx context.Context, gatewayOf func(functionID string) (string, error)) ([]target, error) {
	n, err := w.nodes[0].Namespace(ctx, "spread")
	if err != nil {
		return nil, err
	}
	one := uint32(1)
	var all []target
	for i := range functionCount {
		f, err := w.nodes[0].Deploy(ctx, &function.CreateFunctionRequest{
			NamespaceID: n.ID, Name: fmt.Sprint("f", i), Runtime: "go126", Privacy: function.FunctionPrivacyPrivate, MinScale: &one, MaxScale: &one,
		}, map[string]string{"go.mod": "module example.org/hello\n\ngo 1.21\n", "f.go": hello})
		if err != nil {
			return nil, err
		}
		t, err := w.nodes[0].CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}, scw.WithContext(ctx))
		if err != nil {
			return nil, err
		}
		gateway, err := gatewayOf(f.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, target{gateway, f.DomainName, t.Token})
	}
	return all, nil
}

// members returns the members in the database.
func (w *world) members(ctx context.Context) (members []store.Member, err error) {
	conn, err := pgx.Connect(ctx, w.Database)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, "SELECT body FROM members")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (store.Member, error) {
		var body []byte
		if err := row.Scan(&body); err != nil {
			return store.Member{}, err
		}
		return table.Members.Decode(body)
	})
}

// call makes all calls of one round. The CPU time is that of the nodes, without instances.
func (w *world) call(ctx context.Context, targets []target) (harness.Cost, error) {
	before, err := w.cpuTime()
	if err != nil {
		return harness.Cost{}, err
	}
	began := time.Now()
	var callers sync.WaitGroup
	failed := make(chan error, len(targets))
	for _, t := range targets {
		callers.Go(func() {
			if err := t.call(ctx, callsEach); err != nil {
				failed <- err
			}
		})
	}
	callers.Wait()
	took := time.Since(began)
	select {
	case err := <-failed:
		return harness.Cost{}, err
	default:
	}
	after, err := w.cpuTime()
	return harness.Cost{Elapsed: took.Seconds(), CPU: (after - before).Seconds()}, err
}

func (w *world) cpuTime() (total time.Duration, err error) {
	for _, n := range w.nodes {
		used, err := harness.CPUTime(n.PID())
		if err != nil {
			return 0, err
		}
		total += used
	}
	return total, nil
}

// call makes n calls over one connection.
func (t target) call(ctx context.Context, n int) error {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for range n {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.gateway, nil)
		if err != nil {
			return err
		}
		request.Host = t.host
		request.Header.Set("X-Auth-Token", t.token)
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || string(body) != harness.Hello {
			return fmt.Errorf("call %s: %s: %s: %w", t.host, response.Status, body, err)
		}
	}
	return nil
}
