package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jackc/pgx/v5"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/grammar"
)

const (
	clusterKills = 200
	// killsPerCheck is the number of kills between two comparisons. PostgreSQL is restarted
	// once between them.
	killsPerCheck    = 10
	databaseRestarts = clusterKills / killsPerCheck
	// firingCrons is the number of crons that are due every minute.
	firingCrons = 10
	// betweenKills is the longest time between the restart of a node and the next kill.
	betweenKills = 300 * time.Millisecond
)

// surviveKillsInCluster kills random nodes and restarts PostgreSQL while clients make
// changes through the others. Exactly the acknowledged changes must be there, and no cron
// may fire twice.
func surviveKillsInCluster(ctx context.Context, h *harness) (string, error) {
	p, err := h.newClusterSurvival(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = p.cluster.close() }()
	var problems []string
	for range databaseRestarts {
		found, err := p.round(ctx)
		if err != nil {
			return "", err
		}
		problems = append(problems, found...)
	}
	unsettled, err := p.unsettled(ctx)
	if err != nil {
		return "", err
	}
	acknowledged, changes := p.summary(problems, unsettled)
	line := fmt.Sprintf("cluster: %d kills of nodes, %d restarts of PostgreSQL, %s; crons fired %d times, %d of them twice for one minute",
		clusterKills, databaseRestarts, changes, p.fired, p.twice)
	if len(problems)+len(unsettled)+p.twice > 0 || acknowledged < clusterKills || p.fired == 0 {
		return line + ": " + fmt.Sprint(append(problems, unsettled...)), errBroken
	}
	return line, nil
}

// A clusterSurvival is a survival whose writers use random nodes.
type clusterSurvival struct {
	survival

	cluster *cluster
	// read is the number of the last change whose firing was counted, and last the time at
	// which each cron fired last.
	read         int64
	last         map[string]time.Time
	fired, twice int
}

func (h *harness) newClusterSurvival(ctx context.Context) (*clusterSurvival, error) {
	c, err := h.newCluster(ctx)
	if err != nil {
		return nil, err
	}
	s, err := c.nodes[0].newSurvival(ctx)
	if err != nil {
		return nil, err
	}
	p := &clusterSurvival{survival: *s, cluster: c, last: map[string]time.Time{}}
	fires, err := p.deploy(ctx, s.namespaceID, "fires", fast, 1)
	if err != nil {
		return nil, err
	}
	for i := range firingCrons {
		name := fmt.Sprint("fires", i)
		if _, err := p.CreateCron(&function.CreateCronRequest{FunctionID: fires.ID, Name: &name, Schedule: "* * * * *"}, scw.WithContext(ctx)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// round kills nodes one after another while the writers write, restarts PostgreSQL once,
// and returns the differences from what the writers expect when they have stopped.
func (p *clusterSurvival) round(ctx context.Context) ([]string, error) {
	writing, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	for _, w := range p.writers {
		group.Go(func() {
			for writing.Err() == nil {
				// The client has a time limit of its own: the node may be killed.
				one, cancel := context.WithTimeout(ctx, deleteTimeout)
				if !w.step(one, p.cluster.any().jeton) {
					pause(writing, afterFailure)
				}
				cancel()
			}
		})
	}
	err := p.disturb(ctx)
	stop()
	group.Wait()
	if err != nil {
		return nil, err
	}
	if err := p.cluster.awaitReady(ctx); err != nil {
		return nil, err
	}
	p.jeton = p.cluster.any().jeton
	found, err := p.list(ctx)
	if err != nil {
		return nil, err
	}
	return found.compare(p.writers), p.countFirings(ctx)
}

// disturb kills nodes and restarts them, and restarts PostgreSQL between two kills.
func (p *clusterSurvival) disturb(ctx context.Context) error {
	restart := rand.IntN(killsPerCheck)
	for i := range killsPerCheck {
		if i == restart {
			if err := p.cluster.shared.Postgres.Crash(); err != nil {
				return err
			}
			pause(ctx, rand.N(betweenKills))
			if err := p.cluster.shared.Postgres.Resume(); err != nil {
				return err
			}
		}
		n := p.cluster.any()
		pause(ctx, rand.N(betweenKills))
		n.kill()
		if err := n.begin(ctx); err != nil {
			return err
		}
	}
	return nil
}

// countFirings reads the changes of crons since the last call. A cron fires after a change
// of the time of its last call. It fires twice for one minute if that time is before the
// one at which it was due next.
func (p *clusterSurvival) countFirings(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.cluster.shared.Database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	schedule, err := grammar.ParseSchedule("* * * * *")
	if err != nil {
		return err
	}
	var body []byte
	rows, err := conn.Query(ctx, "SELECT number, body FROM changes WHERE kind = 'crons' AND NOT deleted AND number > $1 ORDER BY number", p.read)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, []any{&p.read, &body}, func() error {
		var cron functions.Cron
		if err := json.Unmarshal(body, &cron); err != nil {
			return err
		}
		before, known := p.last[cron.ID]
		if cron.Schedule != "* * * * *" || known && cron.NextAfter.Equal(before) {
			return nil
		}
		p.last[cron.ID] = cron.NextAfter
		if !known {
			return nil // Its creation.
		}
		p.fired++
		if cron.NextAfter.Before(schedule.Next(before.UTC())) {
			p.twice++
		}
		return nil
	})
	return err
}
