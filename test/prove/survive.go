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
	// maxRun is the maximum time between a start and the next kill.
	maxRun = 300 * time.Millisecond
)

// surviveKills repeatedly kills a server during many changes. After each restart, exactly
// the acknowledged changes must be there.
func surviveKills(ctx context.Context, h *harness) (string, error) {
	p, err := h.newSurvival(ctx)
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
	acknowledged, changes := p.summary(problems, unsettled)
	line := fmt.Sprintf("%d kills, %s", survivals, changes)
	if len(problems)+len(unsettled) > 0 || acknowledged < survivals {
		return line + ": " + fmt.Sprint(append(problems, unsettled...)), errBroken
	}
	return line, nil
}

// lostTokenIsDetected deletes an acknowledged token from the database of a killed server:
// the proof must detect the loss.
func lostTokenIsDetected(ctx context.Context, h *harness) (string, error) {
	p, err := h.newSurvival(ctx)
	if err != nil {
		return "", err
	}
	defer func() { p.kill() }()
	for {
		p.writeUntilKilled(ctx)
		for _, w := range p.writers {
			for _, o := range w.known {
				if o.kind == tokenKind && o.exists() {
					if err := deleteFromDatabase(ctx, p.data, o.id); err != nil {
						return "", err
					}
					problems, err := p.restart(ctx)
					line := fmt.Sprintf("self-test with 1 acknowledged token deleted from the database: %d losses detected, 1 must be", len(problems))
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

// deleteFromDatabase deletes a token from the database in a data folder.
func deleteFromDatabase(ctx context.Context, dataDir, tokenID string) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dataDir, "jeton.db"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "DELETE FROM tokens WHERE id = ?", tokenID)
	return errors.Join(err, db.Close())
}

// A survival is a server with a function and writers that change its objects.
type survival struct {
	*jeton
	// namespaceName is the name of the function's namespace.
	namespaceName, namespaceID string
	functionID                 string
	writers                    []*writer
}

func (h *harness) newSurvival(ctx context.Context) (*survival, error) {
	v, err := h.newServer(ctx)
	if err != nil {
		return nil, err
	}
	return v.newSurvival(ctx)
}

// newSurvival creates a namespace with a function, and writers.
func (v *jeton) newSurvival(ctx context.Context) (*survival, error) {
	const name = "survive"
	namespaceID, err := v.namespace(ctx, name)
	if err != nil {
		return nil, err
	}
	f, err := v.deploy(ctx, namespaceID, "f", fast, 1)
	if err != nil {
		return nil, err
	}
	p := &survival{jeton: v, namespaceName: name, namespaceID: namespaceID, functionID: f.ID}
	for i := range writers {
		p.writers = append(p.writers, &writer{name: fmt.Sprint("w", i), functionID: f.ID, known: map[string]*object{}})
	}
	return p, nil
}

// restart starts the killed server again, and returns the differences from what the
// writers expect.
func (p *survival) restart(ctx context.Context) ([]string, error) {
	if err := p.start(ctx); err != nil {
		return nil, fmt.Errorf("start after a kill: %w", err)
	}
	found, err := p.list(ctx)
	if err != nil {
		return nil, err
	}
	return found.compare(p.writers), nil
}

// summary returns the number of acknowledged changes, and the part of a proof's line about
// all changes.
func (p *survival) summary(problems, unsettled []string) (acknowledged int, line string) {
	unanswered := 0
	for _, w := range p.writers {
		acknowledged, unanswered = acknowledged+w.acknowledged, unanswered+w.unanswered
	}
	return acknowledged, fmt.Sprintf("%d acknowledged changes, %d lost or incomplete; %d unanswered changes, each applied completely or not at all; %d objects stayed in a transient state",
		acknowledged, len(problems), unanswered, len(unsettled))
}

// writeUntilKilled runs all writers, and kills the server after a random time.
func (p *survival) writeUntilKilled(ctx context.Context) {
	writing, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	for _, w := range p.writers {
		group.Go(func() {
			for writing.Err() == nil && w.step(writing, p.jeton) {
			}
		})
	}
	pause(ctx, rand.N(maxRun))
	p.kill()
	stop()
	group.Wait()
}

// A found contains the objects on the server: states and IDs by name. A name with several
// states belongs to several objects.
type found struct {
	states map[string][]string
	ids    map[string]string
}

func (f found) add(name, id, state string) {
	f.states[name] = append(f.states[name], state)
	f.ids[name] = id
}

// list lists the tokens, crons and namespaces.
func (p *survival) list(ctx context.Context) (found, error) {
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
		// A namespace in status deleting counts as deleted.
		if n.Name != p.namespaceName && n.Status != function.NamespaceStatusDeleting {
			f.add(n.Name, n.ID, *n.Description)
		}
	}
	return f, nil
}

// compare returns the differences from what the writers expect, and updates their
// expectations to what was found.
func (f found) compare(all []*writer) (problems []string) {
	expected := map[string]bool{}
	for _, w := range all {
		problems = append(problems, w.unexpected...)
		w.unexpected = nil
		for name, o := range w.known {
			expected[name] = true
			state := gone
			if states := f.states[name]; len(states) > 1 {
				problems = append(problems, fmt.Sprintf("%s exists %d times", name, len(states)))
			} else if len(states) == 1 {
				state = states[0]
			}
			if !slices.Contains(o.states, state) {
				problems = append(problems, fmt.Sprintf("%s is %q, want one of %q", name, state, o.states))
			}
			if o.id, o.states = f.ids[name], []string{state}; state == gone {
				delete(w.known, name)
			}
		}
	}
	for name := range f.states {
		if !expected[name] {
			problems = append(problems, name+" exists, but no writer created it")
		}
	}
	return problems
}

// unsettled waits, and returns the objects that are still in a transient state, and the
// function if it is not ready.
func (p *survival) unsettled(ctx context.Context) (names []string, err error) {
	f, err := p.WaitForFunction(&function.WaitForFunctionRequest{FunctionID: p.functionID, RetryInterval: &poll, Timeout: &limit}, scw.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	_ = await.Until(ctx, "no object is in a transient state", func() bool {
		names, err = p.transient(ctx)
		return err == nil && len(names) == 0
	})
	if f.Status != function.FunctionStatusReady {
		names = append(names, fmt.Sprintf("function in status %s", f.Status))
	}
	return names, err
}

// transient returns the objects that are in a transient state now.
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
