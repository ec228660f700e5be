package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/await"
)

const (
	revocations = 1000
	kills       = 25

	betweenRevocations = 10 * time.Millisecond
)

const fast = `package f

import "net/http"

func Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hello")) }
`

// slow keeps its one instance busy, so that calls wait for it.
const slow = `package f

import (
	"net/http"
	"time"
)

func Handle(w http.ResponseWriter, r *http.Request) {
	time.Sleep(20 * time.Millisecond)
	w.Write([]byte("hello"))
}
`

// revokeUnderLoad deletes tokens one after another while all are in use, and
// looks for a call that was sent after the answer and admitted.
func revokeUnderLoad(ctx context.Context, s *stage) (string, error) {
	v, err := s.newServer(ctx)
	if err != nil {
		return "", err
	}
	defer v.stop()
	l, err := v.revoke(ctx, revocations)
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("%d revocations under load, %d calls in all, %d calls sent after the answer, %d admitted",
		revocations, l.admitted.Load()+l.refused.Load(), l.late.Load(), l.broken.Load())
	if l.broken.Load() > 0 || l.late.Load() < revocations || l.admitted.Load() < revocations {
		return line, errBroken
	}
	return line, nil
}

// revoke makes tokens, begins a load, and deletes them all.
func (v *jeton) revoke(ctx context.Context, count int) (*load, error) {
	namespaceID, err := v.namespace(ctx, "revoke")
	if err != nil {
		return nil, err
	}
	quick, err := v.deploy(ctx, namespaceID, "quick", fast, 4)
	if err != nil {
		return nil, err
	}
	busy, err := v.deploy(ctx, namespaceID, "busy", slow, 1)
	if err != nil {
		return nil, err
	}
	// One call in eight waits behind the busy instance.
	tickets, err := v.tickets(ctx, count, never, quick, quick, quick, quick, quick, quick, quick, busy)
	if err != nil {
		return nil, err
	}
	l := &load{gateway: v.gateway, tickets: tickets}
	running, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		l.group.Wait()
	}()
	l.begin(running)
	if err := await.Until(ctx, "500 calls are admitted", func() bool { return l.admitted.Load() > 500 }); err != nil {
		return nil, fmt.Errorf("the load does not begin: %w", err)
	}
	for i, t := range tickets {
		l.recent.Store(int64(i))
		if _, err := v.DeleteToken(&function.DeleteTokenRequest{TokenID: t.id}, scw.WithContext(ctx)); err != nil {
			return nil, fmt.Errorf("delete a token: %w", err)
		}
		t.dead.Store(time.Now().UnixNano())
		// The callers get time to use the token that is dead now.
		pause(ctx, betweenRevocations)
	}
	return l, nil
}

// revokeAcrossKills kills the server while it answers a deletion, and looks
// whether a token whose deletion was answered opens anything afterwards.
func revokeAcrossKills(ctx context.Context, s *stage) (string, error) {
	v, err := s.newServer(ctx)
	if err != nil {
		return "", err
	}
	defer func() { v.kill() }()
	namespaceID, err := v.namespace(ctx, "kills")
	if err != nil {
		return "", err
	}
	f, err := v.deploy(ctx, namespaceID, "f", fast, 1)
	if err != nil {
		return "", err
	}
	answered, unanswered, admitted, lost := 0, 0, 0, 0
	for range kills {
		tickets, err := v.tickets(ctx, 2, never, f)
		if err != nil {
			return "", err
		}
		revoked, kept := tickets[0], tickets[1]
		killed := make(chan struct{})
		time.AfterFunc(time.Duration(rand.IntN(6000))*time.Microsecond, func() { v.kill(); close(killed) })
		_, err = v.DeleteToken(&function.DeleteTokenRequest{TokenID: revoked.id}, scw.WithContext(ctx))
		<-killed
		if err := v.start(ctx); err != nil {
			return "", err
		}
		status := call(ctx, http.DefaultClient, v.gateway, revoked.host, revoked.text)
		switch {
		case err != nil:
			unanswered++
		case status != http.StatusForbidden:
			admitted++
			fallthrough
		default:
			answered++
		}
		if call(ctx, http.DefaultClient, v.gateway, kept.host, kept.text) != http.StatusOK {
			lost++
		}
	}
	line := fmt.Sprintf("%d times kill -9 during a deletion: %d answered before it, %d admitted after the restart; %d not answered; %d other tokens lost",
		kills, answered, admitted, unanswered, lost)
	if admitted > 0 || lost > 0 || answered == 0 {
		return line, errBroken
	}
	return line, nil
}

// lateTableIsCaught runs the first proof against a server whose gateway hears
// of changes only after they were answered: the proof must fail.
func lateTableIsCaught(ctx context.Context, s *stage) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	v, err := s.newServer(ctx, self, lateArgument)
	if err != nil {
		return "", err
	}
	defer v.stop()
	const count = 100
	l, err := v.revoke(ctx, count)
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("the same proof against a gateway that hears of changes late: %d of %d late calls admitted, as it must find",
		l.broken.Load(), l.late.Load())
	if l.broken.Load() == 0 {
		return line, errBroken
	}
	return line, nil
}
