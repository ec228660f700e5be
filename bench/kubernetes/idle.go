package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jeton-dev/jeton/bench/cold"
	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
)

var (
	// idleFunctions is the number of functions that are deployed and not called.
	idleFunctions = harness.Sized(1000, 20)
	idleRounds    = harness.Sized(3, 1)
	// idleTime is how long requests are counted.
	idleTime = harness.Sized(30*time.Second, 3*time.Second)
)

// idleThousand counts the Pods of a thousand functions that are not called, and the requests at
// the API server while the server of Jeton runs and while it does not.
func idleThousand(ctx context.Context, w *world) ([]harness.Result, error) {
	const warm = 1
	s, err := w.startPods(ctx, warm)
	if err != nil {
		return nil, err
	}
	defer func() { s.Close() }()
	f, err := s.DeployHello(ctx, cold.Languages[1], "idle")
	if err != nil {
		return nil, err
	}
	one, err := w.idlePods(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := s.Stop(); err != nil {
		return nil, err
	}
	if err := copies(ctx, w.data(), f, idleFunctions-1); err != nil {
		return nil, fmt.Errorf("copy the function: %w", err)
	}
	var many []float64
	with := func() (requests, error) {
		again, err := cold.Restart(ctx, w.data(), w.warmFlags(warm)...)
		if err != nil {
			return requests{}, err
		}
		again.Spare = warm
		s = again
		pods, err := w.idlePods(ctx, s)
		if err != nil {
			return requests{}, err
		}
		many = append(many, pods)
		return w.count(ctx, idleTime)
	}
	without := func() (requests, error) {
		if err := s.Stop(); err != nil {
			return requests{}, err
		}
		if err := w.settle(ctx, 0); err != nil {
			return requests{}, err
		}
		return w.count(ctx, idleTime)
	}
	counted, err := harness.Rounds(idleRounds, with, without)
	if err != nil {
		return nil, err
	}
	compare := func(id, goal, note string, of func(requests) float64) harness.Result {
		return harness.Compare(id, "requests/s", goal, note, harness.Column(counted[0], of), harness.Column(counted[1], of))
	}
	return []harness.Result{
		harness.Compare("kubernetes-idle-1000-pods", "Pods", "<= 1", "with 1000 functions that are not called, compared with one; the Pod is a warm one", many, []float64{one}),
		compare("kubernetes-idle-1000", "<= 1", "requests at the API server but watches and leases with 1000 functions that are not called, compared with no server of Jeton", func(r requests) float64 { return r.others }),
		compare("kubernetes-idle-1000-leases", "<= 1", "the same, for leases", func(r requests) float64 { return r.leases }),
	}, nil
}

// idlePods returns the number of Pods when the server is idle. All are warm ones.
func (w *world) idlePods(ctx context.Context, s *cold.Server) (float64, error) {
	if err := s.WaitWarm(ctx); err != nil {
		return 0, err
	}
	if err := s.Settle(ctx); err != nil {
		return 0, err
	}
	if err := w.settle(ctx, s.Spare); err != nil {
		return 0, err
	}
	list, err := w.client.CoreV1().Pods(w.name).List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, err
	}
	for _, pod := range list.Items {
		if id := pod.Labels["jeton.dev/function"]; id != "" {
			return 0, fmt.Errorf("the Pod %s serves function %s, which is not called", pod.Name, id)
		}
	}
	return float64(len(list.Items)), nil
}

// copies adds copies of a deployed function, with their artifacts, to the data folder of a stopped
// server. Deployments would start a Pod for each.
func copies(ctx context.Context, data string, of *function.Function, n int) error {
	objects, err := sqlite.Open(ctx, filepath.Join(data, "jeton.db"), time.Now)
	if err != nil {
		return err
	}
	defer objects.Close()
	artifacts := filepath.Join(data, "artifacts")
	return objects.Update(ctx, func(tx store.Tx) error {
		original, err := tx.Function(of.ID)
		if err != nil {
			return err
		}
		for i := range n {
			f := original
			f.ID, f.Name = uuid.NewString(), fmt.Sprintf("idle-%d", i)
			f.DomainName = f.Name + "-" + original.DomainName
			revision := *original.Revision
			revision.ID = uuid.NewString()
			f.Revision = &revision
			if err := os.RemoveAll(filepath.Join(artifacts, f.ID)); err != nil {
				return err
			}
			if err := os.CopyFS(filepath.Join(artifacts, f.ID), os.DirFS(filepath.Join(artifacts, of.ID))); err != nil {
				return err
			}
			if err := tx.Put(f); err != nil {
				return err
			}
		}
		return nil
	})
}
