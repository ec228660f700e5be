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

// slow keeps its only instance busy, so that calls wait in the queue.
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

// revokeUnderLoad deletes tokens one after another while all are in use. No call may be
// admitted that was sent after the answer to the deletion of its token.
func revokeUnderLoad(ctx context.Context, h *harness) (string, error) {
	v, err := h.newServer(ctx)
	if err != nil {
		return "", err
	}
	defer v.stop()
	l, err := v.revoke(ctx, revocations)
	if err != nil {
		return "", err
	}
	disordered := 0
	for _, t := range l.tokens {
		if !t.history.linearizable() {
			disordered++
		}
	}
	line := fmt.Sprintf("%d revocations under load, %d calls in total, %d calls sent after the answer, %d of them admitted; %d of %d histories not linearizable",
		revocations, l.admitted.Load()+l.refused.Load(), l.late.Load(), l.lateAdmitted.Load(), disordered, revocations)
	if disordered > 0 || l.lateAdmitted.Load() > 0 || l.late.Load() < revocations || l.admitted.Load() < revocations {
		return line, errBroken
	}
	return line, nil
}

// revoke creates tokens, starts a load, and deletes all tokens.
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
	// One token in eight is for the function with the busy instance.
	tokens, err := v.tokens(ctx, count, never, quick, quick, quick, quick, quick, quick, quick, busy)
	if err != nil {
		return nil, err
	}
	l := &load{gateways: []string{v.gateway}, tokens: tokens, records: true}
	running, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		l.group.Wait()
	}()
	l.begin(running)
	if err := await.Until(ctx, "500 calls are admitted", func() bool { return l.admitted.Load() > 500 }); err != nil {
		return nil, fmt.Errorf("start load: %w", err)
	}
	for i, t := range tokens {
		l.current.Store(int64(i))
		t.history.mu.Lock()
		t.history.delete = interval{time.Now().UnixNano(), pending}
		t.history.mu.Unlock()
		if _, err := v.DeleteToken(&function.DeleteTokenRequest{TokenID: t.id}, scw.WithContext(ctx)); err != nil {
			return nil, fmt.Errorf("delete token: %w", err)
		}
		t.deleted(time.Now())
		// The callers need time to use the deleted token.
		pause(ctx, betweenRevocations)
	}
	return l, nil
}

// revokeAcrossKills kills the server during a deletion. If the deletion was answered, the
// token must be denied after the restart.
func revokeAcrossKills(ctx context.Context, h *harness) (string, error) {
	v, namespaceID, err := h.newServerWithNamespace(ctx, "kills")
	if err != nil {
		return "", err
	}
	defer func() { v.kill() }()
	f, err := v.deploy(ctx, namespaceID, "f", fast, 1)
	if err != nil {
		return "", err
	}
	answered, unanswered, admitted, lost := 0, 0, 0, 0
	for range kills {
		tokens, err := v.tokens(ctx, 2, never, f)
		if err != nil {
			return "", err
		}
		revoked, kept := tokens[0], tokens[1]
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
	line := fmt.Sprintf("%d times kill -9 during a deletion: %d answered before the kill, %d of these admitted after the restart; %d not answered; %d other tokens lost",
		kills, answered, admitted, unanswered, lost)
	if admitted > 0 || lost > 0 || answered == 0 {
		return line, errBroken
	}
	return line, nil
}

// lateGatewayIsDetected runs the first proof with a server whose gateway applies deletions
// late: the proof must detect calls that are admitted.
func lateGatewayIsDetected(ctx context.Context, h *harness) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	v, err := h.newServer(ctx, self, lateArgument)
	if err != nil {
		return "", err
	}
	defer v.stop()
	const count = 100
	l, err := v.revoke(ctx, count)
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("self-test with a gateway that applies deletions late: %d of %d late calls admitted, at least 1 must be detected",
		l.lateAdmitted.Load(), l.late.Load())
	if l.lateAdmitted.Load() == 0 {
		return line, errBroken
	}
	return line, nil
}
