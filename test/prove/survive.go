package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/await"
)

const (
	survivals = 200
	writers   = 4
	// longestLife is how long a server writes at most before it is killed.
	longestLife = 300 * time.Millisecond
)

// surviveKills kills a server that is changed as fast as it can be, again and
// again, and looks each time whether all that was acknowledged is there, and
// nothing else.
func surviveKills(ctx context.Context, s *stage) (string, error) {
	p, err := s.newSurvival(ctx)
	if err != nil {
		return "", err
	}
	defer func() { p.kill() }()
	var problems []string
	for range survivals {
		p.writeUntilKilled(ctx)
		found, err := p.restart(ctx)
		if err != nil {
			return "", err
		}
		problems = append(problems, found...)
	}
	unsettled, err := p.unsettled(ctx)
	if err != nil {
		return "", err
	}
	acknowledged, doubtful := p.counts()
	line := fmt.Sprintf("%d kills, %d acknowledged changes, %d lost or half-made; of %d that were not answered, each was carried out or not; %d objects did not settle",
		survivals, acknowledged, len(problems), doubtful, len(unsettled))
	if len(problems)+len(unsettled) > 0 || acknowledged < survivals {
		return line + ": " + fmt.Sprint(append(problems, unsettled...)), errBroken
	}
	return line, nil
}

// lossIsCaught takes one token that was acknowledged out of the database of a
// server that was killed: the proof must find that.
func lossIsCaught(ctx context.Context, s *stage) (string, error) {
	p, err := s.newSurvival(ctx)
	if err != nil {
		return "", err
	}
	defer func() { p.kill() }()
	for {
		p.writeUntilKilled(ctx)
		for _, w := range p.writers {
			for _, o := range w.known {
				if o.kind == token && o.certain() {
					if err := forget(ctx, p.data, o.id); err != nil {
						return "", err
					}
					problems, err := p.restart(ctx)
					line := fmt.Sprintf("the same proof where one acknowledged token is taken out: %d found, as it must", len(problems))
					if err == nil && len(problems) != 1 {
						err = errBroken
					}
					return line, err
				}
			}
		}
		if _, err := p.restart(ctx); err != nil {
			return "", err
		}
	}
}

// forget takes a token out of the database in a data folder.
func forget(ctx context.Context, dataDir, tokenID string) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dataDir, "jeton.db"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "DELETE FROM tokens WHERE id = ?", tokenID)
	return errors.Join(err, db.Close())
}

// survival is a server with a function, and those who write to it.
type survival struct {
	*jeton
	// home is the name of the namespace that the function is in.
	home       string
	functionID string
	writers    []*writer
}

func (s *stage) newSurvival(ctx context.Context) (*survival, error) {
	v, err := s.newServer(ctx)
	if err != nil {
		return nil, err
	}
	const home = "survive"
	namespaceID, err := v.namespace(ctx, home)
	if err != nil {
		return nil, err
	}
	f, err := v.deploy(ctx, namespaceID, "f", fast, 1)
	if err != nil {
		return nil, err
	}
	p := &survival{jeton: v, home: home, functionID: f.ID}
	for i := range writers {
		p.writers = append(p.writers, &writer{name: fmt.Sprint("w", i), functionID: f.ID, known: map[string]*object{}})
	}
	return p, nil
}

// restart starts the server that was killed, and returns what is not as it was.
func (p *survival) restart(ctx context.Context) ([]string, error) {
	if err := p.start(ctx); err != nil {
		return nil, fmt.Errorf("start after a kill: %w", err)
	}
	found, err := p.survey(ctx)
	if err != nil {
		return nil, err
	}
	return found.compare(p.writers), nil
}

func (p *survival) counts() (acknowledged, doubtful int) {
	for _, w := range p.writers {
		acknowledged, doubtful = acknowledged+w.acknowledged, doubtful+w.doubtful
	}
	return acknowledged, doubtful
}

// writeUntilKilled has all writers write until the server is killed in the middle.
func (p *survival) writeUntilKilled(ctx context.Context) {
	writing, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	for _, w := range p.writers {
		group.Go(func() {
			for writing.Err() == nil && w.step(writing, p.jeton) {
			}
		})
	}
	pause(ctx, rand.N(longestLife))
	p.kill()
	stop()
	group.Wait()
}

// found is what there is on the server: the states of all objects by their names,
// and their IDs.
type found struct {
	states map[string][]string
	ids    map[string]string
}

func (f found) add(name, id, state string) {
	f.states[name] = append(f.states[name], state)
	f.ids[name] = id
}

// survey lists the tokens, the crons and the namespaces.
func (p *survival) survey(ctx context.Context) (found, error) {
	f := found{map[string][]string{}, map[string]string{}}
	tokens, err := p.ListTokens(&function.ListTokensRequest{FunctionID: &p.functionID}, scw.WithContext(ctx), scw.WithAllPages())
	if err != nil {
		return f, err
	}
	for _, t := range tokens.Tokens {
		f.add(*t.Description, t.ID, tokenState)
	}
	crons, err := p.ListCrons(&function.ListCronsRequest{FunctionID: p.functionID}, scw.WithContext(ctx), scw.WithAllPages())
	if err != nil {
		return f, err
	}
	for _, c := range crons.Crons {
		f.add(c.Name, c.ID, c.Schedule)
	}
	namespaces, err := p.ListNamespaces(&function.ListNamespacesRequest{}, scw.WithContext(ctx), scw.WithAllPages())
	if err != nil {
		return f, err
	}
	for _, n := range namespaces.Namespaces {
		// One that is being deleted opens nothing any more, and goes by itself.
		if n.Name != p.home && n.Status != function.NamespaceStatusDeleting {
			f.add(n.Name, n.ID, *n.Description)
		}
	}
	return f, nil
}

// compare returns what is not as the writers know it, and has them know what is.
func (f found) compare(all []*writer) (problems []string) {
	expected := map[string]bool{}
	for _, w := range all {
		problems = append(problems, w.unexpected...)
		w.unexpected = nil
		for name, o := range w.known {
			expected[name] = true
			state := gone
			if states := f.states[name]; len(states) > 1 {
				problems = append(problems, fmt.Sprintf("%s is there %d times", name, len(states)))
			} else if len(states) == 1 {
				state = states[0]
			}
			if !slices.Contains(o.states, state) {
				problems = append(problems, fmt.Sprintf("%s is %q, and was %q", name, state, o.states))
			}
			if o.id, o.states = f.ids[name], []string{state}; state == gone {
				delete(w.known, name)
			}
		}
	}
	for name := range f.states {
		if !expected[name] {
			problems = append(problems, name+" is there, and nobody made it")
		}
	}
	return problems
}

// unsettled are the objects that are in a transient state after a while, and the
// function if it is not ready.
func (p *survival) unsettled(ctx context.Context) (left []string, err error) {
	f, err := p.WaitForFunction(&function.WaitForFunctionRequest{FunctionID: p.functionID, RetryInterval: &poll, Timeout: &limit}, scw.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	_ = await.Until(ctx, "no object is in a transient state", func() bool {
		left, err = p.transient(ctx)
		return err == nil && len(left) == 0
	})
	if f.Status != function.FunctionStatusReady {
		left = append(left, fmt.Sprintf("the function is %s", f.Status))
	}
	return left, err
}

func (p *survival) transient(ctx context.Context) (found []string, err error) {
	tokens, err := p.ListTokens(&function.ListTokensRequest{FunctionID: &p.functionID}, scw.WithContext(ctx), scw.WithAllPages())
	if err != nil {
		return nil, err
	}
	for _, t := range tokens.Tokens {
		if t.Status != function.TokenStatusReady {
			found = append(found, "token "+t.ID)
		}
	}
	crons, err := p.ListCrons(&function.ListCronsRequest{FunctionID: p.functionID}, scw.WithContext(ctx), scw.WithAllPages())
	if err != nil {
		return nil, err
	}
	for _, c := range crons.Crons {
		if c.Status != function.CronStatusReady {
			found = append(found, "cron "+c.ID)
		}
	}
	namespaces, err := p.ListNamespaces(&function.ListNamespacesRequest{}, scw.WithContext(ctx), scw.WithAllPages())
	if err != nil {
		return nil, err
	}
	for _, n := range namespaces.Namespaces {
		if n.Status != function.NamespaceStatusReady {
			found = append(found, "namespace "+n.ID)
		}
	}
	return found, nil
}
